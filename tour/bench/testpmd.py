"""Rows over vhost-user: DPDK's testpmd as the driver, against our server and against DPDK's own back-end.

Both stand at the same time, a core for each side; whoever is not measured is stopped (SIGSTOP): DPDK polls also when
idle. The figure is what the driver's own statistics say it sent.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from tour.bench.ground import cores, on_core
from tour.errors import CapabilityMissing, TimedOut

PROGRAM = "dpdk-testpmd"
EAL = ("--no-huge", "-m", "192", "--no-pci", "--no-telemetry")
OPTIONS = ("--no-mlockall", "--total-num-mbufs=16384")
DRIVER = "queue_size=256,mrg_rxbuf=1,in_order=0,packed_vq=0"
SECONDS = 0.4
"""Of one round."""
PATIENCE = 30.0
_SENT = re.compile(rb"NIC statistics for port 0 .*?TX-packets:\s*(\d+)", re.DOTALL)


def require_dpdk() -> None:
    """Raise CapabilityMissing("dpdk") with the apt line."""
    if shutil.which(PROGRAM) is None:
        raise CapabilityMissing("dpdk", "dpdk-testpmd is not installed.", "", "sudo apt-get install dpdk-dev")


class Testpmd:
    """A testpmd of ours on ``core``, answering commands on its standard input."""

    def __init__(self, core: int, prefix: str, vdevs: list[str], mode: str) -> None:
        devices = [word for vdev in vdevs for word in ("--vdev", vdev)]
        place = ["--lcores", f"0@{core},1@{core}", "--file-prefix", f"{prefix}{os.getpid()}"]
        command = [PROGRAM, *place, *EAL, *devices, "--", "-i", f"--forward-mode={mode}", "--auto-start", *OPTIONS]
        # A terminal, or what it prints would wait in its buffer.
        self.screen, theirs = os.openpty()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs)
        finally:
            os.close(theirs)
        self.said = b""

    def sent(self) -> tuple[int, float]:
        """Packets sent so far, and when that was known. Raises TimedOut with its last words."""
        assert self.process.stdin is not None
        self.said = b""
        self.process.stdin.write(b"show port stats 0\n")
        self.process.stdin.flush()
        return int(self._await(_SENT)), time.monotonic()

    def wait_sending(self) -> None:
        """Until it has sent something. Raises TimedOut."""
        deadline = time.monotonic() + PATIENCE
        while self.sent()[0] == 0:
            if time.monotonic() > deadline:
                raise TimedOut("dpdk-testpmd sends nothing.")
            time.sleep(0.05)

    def _await(self, pattern: re.Pattern[bytes]) -> bytes:
        deadline = time.monotonic() + PATIENCE
        while (found := pattern.search(self.said)) is None:
            ready = select.select([self.screen], [], [], max(0.0, deadline - time.monotonic()))[0]
            if not ready or self.process.poll() is not None:
                raise TimedOut("dpdk-testpmd does not answer.", self.said[-300:].decode(errors="replace"))
            self.said = (self.said + os.read(self.screen, 65536))[-65536:]
        return found[1]

    def close(self) -> None:
        """End it."""
        end(self.process)
        os.close(self.screen)


def pause(process: subprocess.Popen[bytes]) -> None:
    """Stop a process of ours where it stands."""
    process.send_signal(signal.SIGSTOP)


def resume(process: subprocess.Popen[bytes]) -> None:
    """Let it go on."""
    process.send_signal(signal.SIGCONT)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, stopped or not: politely, then by force."""
    resume(process)
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


class _Rows:
    """A driver for our server and one for DPDK's back-end."""

    PORT: ClassVar[tuple[str, ...]]
    VDEVS: ClassVar[tuple[str, ...]] = ()
    MODE: ClassVar[str]
    peer_name: str

    def __init__(self) -> None:
        require_dpdk()
        self.stack = ExitStack()
        self.sides: dict[str, tuple[Testpmd, subprocess.Popen[bytes]]] = {}
        try:
            folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tour-bench-"))
            servers = {side: self._serve(side, f"{folder}/{side}") for side in ("ours", "peer")}
            for side, server in servers.items():
                self._drive(side, f"{folder}/{side}", server)
            for side in servers:
                self.sides[side][0].wait_sending()
                self._rest(side)
        except BaseException:
            self.stack.close()
            raise

    def _serve(self, side: str, path: str) -> subprocess.Popen[bytes]:
        core = cores()[0]
        if side == "peer":
            back_end = Testpmd(core, "b", [f"net_vhost0,iface={path},queues=1", *self.VDEVS], self.MODE)
            self.stack.callback(back_end.close)
            return back_end.process
        command = [sys.executable, "-m", "tour.cli", "vhost-user", "--socket", path, *self.PORT]
        with on_core(core):
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.stack.callback(end, server)
        return server

    def _drive(self, side: str, path: str, server: subprocess.Popen[bytes]) -> None:
        _await_socket(path, server)
        driver = Testpmd(cores()[1], side[0], [f"net_virtio_user0,path={path},{DRIVER}"], "txonly")
        self.stack.callback(driver.close)
        self.sides[side] = driver, server

    def _rest(self, side: str) -> None:
        for process in (self.sides[side][0].process, self.sides[side][1]):
            pause(process)

    def _measure(self, side: str) -> float:
        driver, server = self.sides[side]
        resume(server)
        resume(driver.process)
        before, begun = driver.sent()
        time.sleep(SECONDS)
        after, ended = driver.sent()
        self._rest(side)
        return (after - before) / (ended - begun)

    def ours(self) -> float:
        """Packets a second."""
        return self._measure("ours")

    def peer(self) -> float:
        """Packets a second."""
        return self._measure("peer")

    def more(self) -> dict[str, float]:
        """Nothing further."""
        return {}

    def close(self) -> None:
        """End everybody."""
        self.stack.close()


class IntoTap(_Rows):
    """Into a tap, against DPDK's net_vhost forwarding to its net_tap."""

    peer_name = "DPDK net_vhost to net_tap"
    PORT = ("--netns",)
    VDEVS = ("net_tap0,iface=dtap0",)
    MODE = "io"


class IntoNull(_Rows):
    """Into nothing, against DPDK's net_vhost dropping."""

    peer_name = "DPDK net_vhost, dropping"
    PORT = ("--port", "null", "--busy-poll", "1000")  # the peer polls without end
    MODE = "rxonly"


def _await_socket(path: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not Path(path).is_socket():
        if server.poll() is not None or time.monotonic() > deadline:
            raise TimedOut("A vhost-user server did not come up.", f"Its exit code is {server.returncode}.")
        time.sleep(0.02)
