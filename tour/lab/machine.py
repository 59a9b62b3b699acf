"""One virtual machine, from its start to its end: what it prints, what it asks, when it is stuck."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tour.errors import AgentLost
from tour.lab.script import PORTS

KEEPER = Path(__file__).with_name("keeper.py")
TAIL = 16384
MARKER = b"tour-lab: "
BLOCK = 65536

Argv = Callable[[dict[str, int]], list[str]]
Progress = Callable[[str], None]
Handler = Callable[[], None]


class Machine:
    """A running QEMU below its keeper.

    ``ports`` are our ends of its serial ports; ``exit_code`` the command's, once it ended; ``stages`` the seconds from
    the start to each stage reached (kernel, init, modules, job, root, start, exit).
    """

    def __init__(self, argv: Argv, log: int | None = None) -> None:
        """Start it. ``argv`` gets the descriptors of the ports; ``log`` gets a copy of the console."""
        self.started = time.monotonic()
        self.stages: dict[str, float] = {}
        self.exit_code: int | None = None
        self.failure = ""
        self.last_heard = self.started
        self.ports: dict[str, socket.socket] = {}
        self._log = log
        self._tail = b""
        self._lines = {"console": b"", "control": b""}
        self._handlers: dict[int, Handler] = {}
        self._poll = select.poll()
        self.process = self._spawn(argv)
        self._console = self._console_fd()
        self.watch(self._console, self._read_console)
        self.watch(self.ports["control"].fileno(), self._read_control)

    def _spawn(self, argv: Argv) -> subprocess.Popen[bytes]:
        """Start the keeper, which starts QEMU, with one end of each port and of the lifeline."""
        pairs = {name: socket.socketpair() for name in PORTS}
        self.ports = {name: ours for name, (ours, _) in pairs.items()}
        theirs = {name: other.fileno() for name, (_, other) in pairs.items()}
        alive, self._lifeline = os.pipe()
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(KEEPER), str(alive), *argv(theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(alive, *theirs.values()),
                start_new_session=True,  # Ctrl-C is for us to act on
            )
        finally:
            os.close(alive)
            for _, other in pairs.values():
                other.close()

    def _console_fd(self) -> int:
        if self.process.stdout is None:
            raise AssertionError("the console is a pipe")
        return self.process.stdout.fileno()

    def watch(self, fd: int, handler: Handler, events: int = select.POLLIN) -> None:
        """Call ``handler`` from ``step`` whenever ``fd`` is ready."""
        self._handlers[fd] = handler
        self._poll.register(fd, events)

    def unwatch(self, fd: int) -> None:
        """Stop calling the handler of ``fd``."""
        if self._handlers.pop(fd, None):
            self._poll.unregister(fd)

    def step(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for anything, and handle all that is ready."""
        for fd, _ in self._poll.poll(timeout * 1000):
            handler = self._handlers.get(fd)
            if handler:
                handler()

    @property
    def ended(self) -> bool:
        """Whether QEMU is gone (its console is at its end)."""
        return self._console not in self._handlers

    @property
    def tail(self) -> str:
        """The last lines of the console."""
        return self._tail.decode(errors="replace").replace("\r", "").strip()

    def lost(self) -> AgentLost:
        """The error to raise when the machine has gone away by itself: how it ended and its last words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        last = "\n".join(self.tail.splitlines()[-8:])
        why = f"{self._end()} Its last words:\n{last}"
        return AgentLost("The lab's virtual machine ended unexpectedly.", why)

    def _end(self) -> str:
        """How QEMU or its keeper ended."""
        code = self.process.returncode or 0
        number = abs(code) if code < 0 else code - 128
        if number in set(signal.Signals):
            return f"QEMU was ended by signal {number} ({signal.Signals(number).name})."
        return f"QEMU's exit code is {code}."

    def _read_console(self) -> None:
        data = os.read(self._console, BLOCK)
        if not data:
            self.unwatch(self._console)
            return
        self.last_heard = time.monotonic()
        self._reach("kernel")
        self._tail = (self._tail + data)[-TAIL:]
        if self._log is not None:
            with contextlib.suppress(OSError):
                os.write(self._log, data)
        for line in self._split("console", data):
            _, found, marker = line.partition(MARKER)
            if found:
                self._heard(marker.decode(errors="replace").strip())

    def _read_control(self) -> None:
        data = receive(self.ports["control"])
        if not data:
            self.unwatch(self.ports["control"].fileno())
            return
        self.last_heard = time.monotonic()
        for line in self._split("control", data):
            self._heard(line.decode(errors="replace").strip())

    def _split(self, name: str, data: bytes) -> list[bytes]:
        *lines, self._lines[name] = (self._lines[name] + data).split(b"\n")
        return lines

    def _heard(self, words: str) -> None:
        stage, _, rest = words.partition(" ")
        self._reach(stage)
        if stage == "fail":
            self.failure = rest
        elif stage == "exit":
            self.exit_code = int(rest)

    def _reach(self, stage: str) -> None:
        self.stages.setdefault(stage, time.monotonic() - self.started)

    def kill(self) -> None:
        """End QEMU and its keeper and wait for both; may be called again."""
        for fd in list(self._handlers):
            self.unwatch(fd)
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        for port in self.ports.values():
            port.close()


def receive(port: socket.socket) -> bytes:
    """Some bytes, b'' at the end; a QEMU that ends with something unread resets the connection."""
    try:
        return port.recv(BLOCK)
    except ConnectionResetError:
        return b""
