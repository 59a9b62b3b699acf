"""Rows with a guest: TCP of the same user-mode Linux on our server and on its own ``vec0`` driver for a tap.

Both guests are up all the time; the one that is not measured is idle, and an idle guest costs nothing.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import ClassVar

from tour.guest import start, uml
from tour.guest.machine import Guest
from tour.guest.server import Server
from tour.guest.shape import Shape
from tour.guest.trials import PEER, tcp

SECONDS = 1.0
"""Of one round."""
SHAPE = Shape(programs=("iperf3",))


class _Guests:
    """One guest at our server, one on a tap."""

    peer_name = "the guest's own vec0 on a tap"
    INWARDS: ClassVar[bool]

    def __init__(self) -> None:
        self.stack = ExitStack()
        try:
            folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tour-bench-"))
            path = f"{folder}/net.sock"
            self.stack.enter_context(Server(path, ("--netns", "--exec", PEER)))
            self.ours_guest = self.stack.enter_context(start.start("uml", Shape(path, programs=SHAPE.programs)))
            self.peer_guest = self.stack.enter_context(Guest(uml.boot_on_tap(SHAPE, PEER)))
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
