"""A program in the lab behind a byte stream, and the deaths of everything on the way to it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, alive, children, kill, wait_until
from tour.errors import AgentLost
from tour.lab import cache
from tour.lab.command import run
from tour.lab.stream import LabProcess, open_stream

pytestmark = pytest.mark.requires("lab")

ECHO = """
import os, sys
os.write(1, b"ready")
data = sys.stdin.buffer.read(int(os.environ["TOUR_SIZE"]))
sys.stdout.buffer.write(data[::-1])
sys.stdout.buffer.flush()
print("last words", file=sys.stderr)
raise SystemExit(5)
"""
FRONT_END = """
import sys
from tour.lab.boot import Options
from tour.lab.command import run
run(["sleep", "1000"], stdin=None, options=Options(progress=lambda word: print(word, flush=True)))
"""


def receive_all(stream: socket.socket) -> bytes:
    """All there is until the end."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while data := stream.recv(65536):
            got += data
    return bytes(got)


def qemu_of(process: LabProcess) -> int:
    """QEMU's process id: the keeper's only child."""
    (pid,) = children(process.pid)
    return pid


def test_the_stream_is_binary_clean_both_ways() -> None:
    data = bytes(range(256)) * 2048
    argv = [sys.executable, "-I", "-S", "-c", ECHO]
    stream, process = open_stream(argv, environ={"TOUR_SIZE": str(len(data))})
    with process:
        assert stream.recv(5, socket.MSG_WAITALL) == b"ready"
        stream.sendall(data)
        assert receive_all(stream) == data[::-1]
        assert process.wait(30) == 5
        assert "exit code is 5" in str(process.lost())
        assert "last words" in str(process.lost())
    assert not alive(process.pid)


def test_closing_ends_the_machine() -> None:
    _, process = open_stream(["sleep", "1000"])
    qemu = qemu_of(process)
    process.close()
    process.close()
    assert not alive(qemu)
    assert not alive(process.pid)
    assert process.poll() is None


@pytest.mark.parametrize("victim", ["qemu", "keeper"])
def test_a_killed_machine_is_noticed_and_explained(victim: str) -> None:
    stream, process = open_stream(["sleep", "1000"])
    with process:
        qemu = qemu_of(process)
        kill(qemu if victim == "qemu" else process.pid)
        assert receive_all(stream) == b""
        assert isinstance(process.lost(), AgentLost)
        assert "tour-lab: job" in str(process.lost())
        wait_until(lambda: not alive(qemu), "QEMU to be gone")


def test_a_machine_that_powers_itself_off_is_no_exit_code() -> None:
    with pytest.raises(AgentLost, match="ended unexpectedly"):
        run(["/run/tour/busybox", "poweroff", "-f"], stdin=None)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_front_ends_death_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    before = set(cache.folder().iterdir())
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    front_end = subprocess.Popen(
        [sys.executable, "-c", FRONT_END], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert front_end.stdout
    while "starting the command" not in front_end.stdout.readline():
        assert front_end.poll() is None
    (keeper,) = children(front_end.pid)
    (qemu,) = children(keeper)
    front_end.send_signal(how)
    front_end.wait(20)
    front_end.stdout.close()
    wait_until(lambda: not alive(keeper) and not alive(qemu), "the keeper and QEMU to be gone")
    assert list(tmp_path.iterdir()) == []
    assert set(cache.folder().iterdir()) <= before
