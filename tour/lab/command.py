"""Run one command in the lab, its streams byte for byte ours."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Mapping, Sequence

from tour.errors import TimedOut
from tour.lab.boot import Booted, Options, boot
from tour.lab.machine import BLOCK, Machine, receive

TICK = 0.5


def run(
    command: Sequence[str],
    *,
    stdin: int | None = 0,
    stdout: int = 1,
    stderr: int = 2,
    timeout: float | None = None,
    environ: Mapping[str, str] | None = None,
    options: Options | None = None,
) -> int:
    """Run ``command`` as root in a fresh lab and return its exit code (128 + n after signal n, 127 not found).

    Streams are file descriptors; ``stdin`` None is an empty input. The working folder is ours; of the environment
    PATH, HOME, the locale and TOUR_* and VHOST_TOUR_* are passed, and ``environ``. Whatever the command leaves running
    ends with it. ``timeout`` in seconds counts from the command's start. Raises CapabilityMissing("lab"), UsageError,
    TimedOut, AgentLost if the machine ends by itself, BrokenPipeError if nobody reads ``stdout``.
    """
    booted = boot(command, environ, options or Options())
    try:
        return _Passthrough(booted, stdin, stdout, stderr).serve(timeout)
    finally:
        booted.machine.kill()


class _Passthrough:
    """The three streams of one command between the lab's ports and our descriptors."""

    def __init__(self, booted: Booted, stdin: int | None, stdout: int, stderr: int) -> None:
        self.machine = booted.machine
        self.outlets = [
            Outlet(self.machine, self.machine.ports[name], fd, booted.mark)
            for name, fd in (("out", stdout), ("err", stderr))
        ]
        self.inlet = Inlet(self.machine, self.machine.ports["in"], stdin)

    def serve(self, timeout: float | None) -> int:
        """Pass bytes until the command has ended and all it wrote has arrived."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.machine.exit_code is None or not all(outlet.done for outlet in self.outlets):
            if self.machine.ended:
                raise self.machine.lost()
            if until is not None and time.monotonic() >= until:
                raise TimedOut(f"The command in the lab took longer than {timeout:g} s.")
            self.machine.step(TICK)
        return self.machine.exit_code


class Outlet:
    """From a port of the lab to a descriptor of ours, up to the mark that ends it."""

    def __init__(self, machine: Machine, port: socket.socket, fd: int, mark: bytes) -> None:
        self.machine = machine
        self.port = port
        self.fd = fd
        self.mark = mark
        self.done = False
        self._held = b""
        machine.watch(port.fileno(), self._pass)

    def _pass(self) -> None:
        data = receive(self.port)
        if data:
            write_all(self.fd, self.feed(data))
        if not data or self.done:
            self.machine.unwatch(self.port.fileno())

    def feed(self, data: bytes) -> bytes:
        """What of ``data`` may be passed on: all but the mark, or what may turn out to be its beginning."""
        data = self._held + data
        end = data.find(self.mark)
        if end >= 0:
            self.done = True
            self._held = b""
            return data[:end]
        held = next(n for n in range(len(self.mark) - 1, -1, -1) if data.endswith(self.mark[:n]))
        self._held = data[len(data) - held :]
        return data[: len(data) - held]


class Inlet:
    """From a descriptor of ours to the lab's input port, never more than one block ahead."""

    def __init__(self, machine: Machine, port: socket.socket, fd: int | None) -> None:
        self.machine = machine
        self.port = port
        self.fd = -1 if fd is None else fd
        self._pending = b""
        port.setblocking(False)
        if fd is None:
            self._end()
        else:
            machine.watch(fd, self._fill)

    def _fill(self) -> None:
        try:
            self._pending = os.read(self.fd, BLOCK)
        except OSError:  # closed under us, or a terminal that hung up
            self._pending = b""
        self.machine.unwatch(self.fd)
        if self._pending:
            self.machine.watch(self.port.fileno(), self._drain, select.POLLOUT)
        else:
            self._end()

    def _drain(self) -> None:
        try:
            self._pending = self._pending[self.port.send(self._pending) :]
        except BlockingIOError:
            return
        except OSError:  # the command closed its input
            self._pending = b""
            self.machine.unwatch(self.port.fileno())
            return
        if not self._pending:
            self.machine.unwatch(self.port.fileno())
            self.machine.watch(self.fd, self._fill)

    def _end(self) -> None:
        """Half-close: QEMU closes the port after the last byte, and the command reads an end of file."""
        self.port.shutdown(socket.SHUT_WR)


def write_all(fd: int, data: bytes) -> None:
    """Write all of ``data``, waiting where the descriptor does not block. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select([], [fd], [])
