"""Rows with a guest: TCP of the same user-mode Linux on our server and on its own ``vec0`` driver for a tap.

Both guests are up all the time; the one that is not measured is idle, and an idle guest costs nothing. Both run on one
core and all that is theirs outside (our worker, the other end of the stream) on another: left to itself the scheduler
puts who wakes each other on one core, now and then, and the figure would be its mood.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

from tour.guest import start, uml
from tour.guest.machine import Guest
from tour.guest.server import Server
from tour.guest.shape import Shape
from tour.guest.trials import PEER, tcp

SECONDS = 1.0
"""Of one round."""
SHAPE = Shape(programs=("iperf3",))


INSIDE, OUTSIDE = 0, -1
"""Which of the cores we may use, the first and the last."""


@contextmanager
def on_core(which: int) -> Iterator[None]:
    """Have what is started meanwhile run on that core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _elsewhere(command: str) -> str:
    """A shell command on the core of what is outside the guest (taskset is in util-linux, which Debian always has)."""
    return f"taskset -c {sorted(os.sched_getaffinity(0))[OUTSIDE]} {command}"


class _Guests:
    """One guest at our server, one on a tap."""

    peer_name = "the guest's own vec0 on a tap"
    INWARDS: ClassVar[bool]

    def __init__(self) -> None:
        self.stack = ExitStack()
        try:
            folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tour-bench-"))
            path = f"{folder}/net.sock"
            other_end = _elsewhere(PEER)
            with on_core(OUTSIDE):
                self.stack.enter_context(Server(path, ("--netns", "--exec", PEER)))
            with on_core(INSIDE):
                self.ours_guest = self.stack.enter_context(start.start("uml", Shape(path, programs=SHAPE.programs)))
                self.peer_guest = self.stack.enter_context(Guest(uml.boot_on_tap(SHAPE, other_end)))
                self.peer_guest.come_up()
        except BaseException:
            self.stack.close()
            raise

    def ours(self) -> float:
        """Gb/s."""
        return tcp(self.ours_guest, SECONDS, inwards=self.INWARDS) / 1e9

    def peer(self) -> float:
        """Gb/s."""
        return tcp(self.peer_guest, SECONDS, inwards=self.INWARDS) / 1e9

    def more(self) -> dict[str, float]:
        """Nothing further."""
        return {}

    def close(self) -> None:
        """End both."""
        self.stack.close()


class Out(_Guests):
    """Out of the guest."""

    INWARDS = False


class In(_Guests):
    """Into the guest."""

    INWARDS = True
