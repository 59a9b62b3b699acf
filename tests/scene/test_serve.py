"""The server's socket: where it may be, who was there before, what is left when it ends."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tour.errors import UsageError
from tour.scene.serve import listen, remove


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "net.sock"


def test_only_its_owner_may_connect(place: Path) -> None:
    sock, inode = listen(place)
    with sock:
        mode = os.stat(place)
        assert stat.S_IMODE(mode.st_mode) == 0o600
        assert mode.st_ino == inode


def test_a_socket_that_nobody_listens_on_is_replaced(place: Path) -> None:
    listen(place)[0].close()
    sock, inode = listen(place)
    with sock:
        assert os.stat(place).st_ino == inode


def test_another_server_is_left_alone(place: Path) -> None:
    sock, inode = listen(place)
    with sock:
        with pytest.raises(UsageError, match="Another server listens"):
            listen(place)
        with pytest.raises(BlockingIOError):  # asking is no visit: with --once a visit would end that server
            sock.accept()
        assert os.stat(place).st_ino == inode


def test_a_file_is_left_alone(place: Path) -> None:
    place.write_text("mine")
    with pytest.raises(UsageError, match="no socket"):
        listen(place)
    assert place.read_text() == "mine"


@pytest.mark.parametrize("path", ["/nowhere/net.sock", "/" + "x" * 107])
def test_a_place_that_cannot_be_is_said(path: str) -> None:
    with pytest.raises(UsageError):
        listen(Path(path))


def test_a_socket_of_somebody_else_is_not_removed(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))
        remove(place, os.stat(place).st_ino + 1)
        assert place.exists()
        remove(place, os.stat(place).st_ino)
        assert not place.exists()
        remove(place, 0)
