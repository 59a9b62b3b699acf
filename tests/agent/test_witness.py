"""An independent tcpdump in the agent's network sees the frames of the recording, and no others."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT, children, require, wait_until
from tour.errors import CapabilityMissing
from tour.trace import events as ev
from tour.trace import store

pytestmark = [
    pytest.mark.requires("embedded", "tun"),
    pytest.mark.skipif(os.getuid() != 0, reason="needs root to look into the agent's network and to become nobody"),
]

HERE = Path(__file__).parent
NOBODY = 65534
USERS = {"root": (), "an ordinary user": (sys.executable, str(HERE / "as_nobody.py"))}
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}


def probe_tcpdump() -> None:
    """Raises CapabilityMissing unless tcpdump and nsenter are there."""
    if shutil.which("tcpdump") is None or shutil.which("nsenter") is None:
        raise CapabilityMissing("tcpdump", "there is no tcpdump here", "", "sudo apt-get install tcpdump util-linux")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working folder that belongs to nobody."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@contextmanager
def captured(agent: int, file: Path) -> Iterator[None]:
    """tcpdump on tap0 of the network of process ``agent`` while inside."""
    argv = ["nsenter", "-t", str(agent), "-n", "tcpdump", "-Z", "root", "--immediate-mode", "-U", "-w", str(file)]
    with subprocess.Popen([*argv, "-i", "tap0"], stderr=subprocess.PIPE) as dump:
        assert dump.stderr
        assert b"listening on tap0" in dump.stderr.readline()
        try:
            yield
        finally:
            dump.send_signal(signal.SIGINT)
            told = dump.communicate(timeout=20)[1]
    assert b"0 packets dropped by kernel" in told


def packets(file: Path) -> list[bytes]:
    """The frames of a capture in pcap's classic format (24 bytes of header, 16 before each frame)."""
    capture = file.read_bytes()
    frames, at = [], 24
    while at + 16 <= len(capture):
        (length,) = struct.unpack_from("=I", capture, at + 8)
        frames.append(capture[at + 16 : at + 16 + length])
        at += 16 + length
    return frames


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("lesson", ["0", "8"])
def test_tcpdump_sees_the_recordings_frames(user: str, lesson: str, folder: Path) -> None:
    require("tcpdump", probe_tcpdump)
    recording, capture = folder / "it.jsonl", folder / "it.pcap"
    argv = [*USERS[user], sys.executable, "-m", "tests.agent.played", lesson, str(recording)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=ENVIRON, cwd=folder) as player:
        assert player.stdin and player.stdout
        assert player.stdout.readline() == b"ready\n"
        assert os.stat(f"/proc/{player.pid}").st_uid == (NOBODY if user in USERS and USERS[user] else 0)
        with captured(agent_below(player.pid), capture):
            player.stdin.write(b"go on\n")
            player.stdin.flush()
            assert player.stdout.readline() == b"played\n"
            wanted = recorded(recording.with_name(f"it.jsonl.{player.pid}.partial"))
            wait_until(lambda: len(packets(capture)) >= len(wanted), f"{len(wanted)} frames")
        player.stdin.close()
        assert player.wait(30) == 0
    whole = store.load(recording)
    assert whole.whole and (whole.hello.device, whole.hello.net) == ("embedded", "tap")
    assert len(wanted) == 2, "a request and its reply"
    assert packets(capture) == wanted == recorded(recording)


def recorded(file: Path) -> list[bytes]:
    """The frames that the recording saw at the tap."""
    data = [event.data for event in store.load(file).events]
    return [bytes.fromhex(each.frame) for each in data if isinstance(each, ev.Packet) and each.where == "tap"]


def agent_below(pid: int) -> int:
    """The agent of front end ``pid``: below its helper and its init."""
    for _ in range(3):
        (pid,) = children(pid)
    return pid


@pytest.mark.parametrize("user", USERS)
def test_lesson_8_passes_on_a_real_tap(user: str, folder: Path) -> None:
    tour = [*USERS[user], sys.executable, "-m", "tour.cli", "run", "8", "--device", "embedded", "--lang", "en"]
    plain = subprocess.run([*tour, "--plain"], env=ENVIRON, cwd=folder, capture_output=True, text=True, timeout=60)
    assert plain.returncode == 0, plain.stderr
    assert "real network stack" in plain.stdout
    assert "Every check held." in plain.stdout
    told = subprocess.run([*tour, "--json"], env=ENVIRON, cwd=folder, capture_output=True, timeout=60)
    assert told.returncode == 0, told.stderr
    hello = json.loads(told.stdout.splitlines()[0])["data"]
    assert (hello["kind"], hello["device"], hello["net"]) == ("hello", "embedded", "tap")
