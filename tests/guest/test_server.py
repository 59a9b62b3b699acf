"""Our server beside a guest: its end is known as soon as anybody it served can know of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from tour.guest.server import Server

pytestmark = pytest.mark.requires("embedded", "tun")


def test_who_saw_its_socket_close_is_told_why(tmp_path: Path) -> None:
    with Server(str(tmp_path / "socket")) as server, socket.socket(socket.AF_UNIX) as guest:
        guest.connect(server.path)
        assert server.lost() is None
        os.kill(server.pid, signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            assert guest.recv(1) == b""
        assert "9 (SIGKILL)" in str(server.lost())


def test_one_that_was_closed_is_not_lost(tmp_path: Path) -> None:
    server = Server(str(tmp_path / "socket"))
    server.close()
    assert server.lost() is None
