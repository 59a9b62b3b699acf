"""The three eventfds of a ring: kick (driver to device), call (device to driver), err (device reports a fault)."""

from __future__ import annotations

import os
import threading

from tour.device.observer import eventfd_count
from tour.trace import events as ev
from tour.trace.recorder import Recorder, here

NAMES = ("kick", "call", "err")


class Bells:
    """Eventfds of queue ``index``, non-blocking, told to the recorder as they are made, rung and read.

    Whoever holds ``baton`` acts; a worker woken by a kick begins when the kick has been told.
    """

    def __init__(self, index: int, recorder: Recorder, baton: threading.Lock) -> None:
        self.index = index
        self.recorder = recorder
        self.baton = baton
        self.fds: dict[str, int] = {}

    def make(self) -> None:
        """Create the three eventfds."""
        for name in NAMES:
            fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self.fds[name] = fd
            call = ev.Syscall("eventfd2", ["0", "EFD_CLOEXEC|EFD_NONBLOCK"], fd)
            self.recorder.emit(call, actor="control", frame=here(), above="os.eventfd(")
            self.recorder.emit(ev.Doorbell(self.index, name, fd), actor="control")

    def look(self) -> None:
        """Tell all counters as /proc has them; reading the eventfds would change them."""
        for name, fd in self.fds.items():
            count = ev.Count(self.index, name, fd, eventfd_count(fd))
            self.recorder.emit(count, actor="control", source="observer")

    def put_calls(self, count: int) -> None:
        """Begin with ``count`` calls that the driver has not read, as a fork's past left them."""
        if count:
            fd = self.fds["call"]
            os.eventfd_write(fd, count)
            self.recorder.emit(ev.Count(self.index, "call", fd, eventfd_count(fd)), actor="control")

    def kick(self) -> None:
        """Add 1 to the kick eventfd: the driver's doorbell."""
        fd = self.fds["kick"]
        with self.baton:
            os.eventfd_write(fd, 1)
            self.recorder.emit(
                ev.Kick(self.index, fd, eventfd_count(fd)), actor="driver", frame=here(), above="eventfd_write"
            )

    def call(self) -> None:
        """Add 1 to the call eventfd: the device's doorbell, when the device is in the learner's hand."""
        fd = self.fds["call"]
        os.eventfd_write(fd, 1)
        self.recorder.emit(
            ev.Call(self.index, fd, eventfd_count(fd)), actor="device", frame=here(), above="eventfd_write"
        )

    def drain_call(self) -> int:
        """Read the call eventfd without blocking: how often the device called since the last read, then 0."""
        fd = self.fds["call"]
        try:
            value = os.eventfd_read(fd)
        except BlockingIOError:
            refused = ev.Syscall("read", [str(fd)], -1, "EAGAIN")
            self.recorder.emit(refused, actor="driver", frame=here(), above="eventfd_read")
            return 0
        self.recorder.emit(ev.Drain(self.index, fd, value), actor="driver", frame=here(), above="eventfd_read")
        return value

    def close(self) -> None:
        """Close what was made."""
        while self.fds:
            os.close(self.fds.popitem()[1])
