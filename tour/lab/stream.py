"""Start a program in the lab and speak to it: its standard input and output are one byte stream to us."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from tour.errors import AgentLost
from tour.lab.boot import Booted, Options, boot
from tour.lab.machine import TAIL, receive

TICK = 0.5
DRAIN = 5.0


class LabProcess:
    """A program running in a lab of its own. Made by ``open_stream``.

    ``stream`` is a connected socket to its descriptors 0 and 1, binary clean, at its end once the program or the
    machine has ended; ``seconds`` what each part of the start took; ``pid`` the keeper's process id.
    """

    def __init__(self, booted: Booted) -> None:
        self.machine = booted.machine
        self.seconds = booted.seconds
        self.retries = booted.retries
        self.pid = booted.machine.process.pid
        self.stream = socket.socket(fileno=os.dup(self.machine.ports["in"].fileno()))
        self._mark = booted.mark
        self._errors = b""
        self._wake, self._woken = os.pipe()
        self._lost: AgentLost | None = None
        self._thread = threading.Thread(target=self._serve, name="lab", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def _serve(self) -> None:
        """Take in the console, the control port and the errors until the end, then end the machine."""
        machine = self.machine
        closing = threading.Event()
        machine.watch(machine.ports["err"].fileno(), self._read_errors)
        machine.watch(self._wake, closing.set)
        while not closing.is_set() and not machine.ended and machine.exit_code is None:
            machine.step(TICK)
        if machine.exit_code is not None:
            self._let_drain()
        self._lost = self._reason()
        machine.kill()

    def _read_errors(self) -> None:
        data = receive(self.machine.ports["err"])
        if not data:
            self.machine.unwatch(self.machine.ports["err"].fileno())
        self._errors = (self._errors + data)[-TAIL:]

    def _let_drain(self) -> None:
        """QEMU may hold output that did not fit into the stream: end it only when the reader is up to date."""
        until = time.monotonic() + DRAIN
        while time.monotonic() < until and _unread(self.stream):
            self.machine.step(0.02)

    def _reason(self) -> AgentLost:
        """How it ended; needs the machine not yet killed by us."""
        code = self.machine.exit_code
        if code is None:
            return self.machine.lost() if self.machine.ended else AgentLost("The program in the lab was ended by us.")
        return AgentLost("The program in the lab ended.", f"Its exit code is {code}. {self.errors}".strip())

    @property
    def errors(self) -> str:
        """The last of what the program wrote to its standard error."""
        return self._errors.replace(self._mark, b"").decode(errors="replace").strip()

    def poll(self) -> int | None:
        """The program's exit code, None while it runs or if only the machine ended."""
        return self.machine.exit_code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the program or of the machine; as ``poll``."""
        self._thread.join(timeout)
        return self.machine.exit_code

    def lost(self) -> AgentLost:
        """Why the stream has ended: how the program or the machine ended, and its last words."""
        self._thread.join(DRAIN)
        return self._lost or AgentLost("The program in the lab does not answer.", self.errors)

    def close(self) -> None:
        """End the program and its machine and wait for that; may be called again."""
        with contextlib.suppress(OSError):
            os.write(self._woken, b"x")
        self._thread.join()
        self.stream.close()
        for fd in (self._wake, self._woken):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._wake = self._woken = -1


def open_stream(
    argv: Sequence[str], *, environ: Mapping[str, str] | None = None, options: Options | None = None
) -> tuple[socket.socket, LabProcess]:
    """Start ``argv`` as root in a fresh lab; the socket is its standard input and output.

    The program's first bytes may come some time after this returns (Python alone takes a second or more under
    emulation). Raises CapabilityMissing("lab") or UsageError.
    """
    process = LabProcess(boot(argv, environ, options or Options(), stream=True))
    return process.stream, process


def _unread(stream: socket.socket) -> int:
    """Bytes waiting in ``stream`` (SIOCINQ)."""
    import fcntl
    import termios

    try:
        return int(struct.unpack("i", fcntl.ioctl(stream, termios.FIONREAD, b"\0\0\0\0"))[0])
    except (OSError, ValueError):  # the reader has closed it
        return 0
