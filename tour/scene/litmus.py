"""The lost wake-up, provoked: two threads on two CPUs store a word each and look at the other's (csrc/litmus.h)."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import NamedTuple

from tour.abi import native

DRIVER, DEVICE = 0, 1


class Litmus(NamedTuple):
    """``rounds`` were played, in ``lost`` of them both sides saw the other's old word; ``cpus`` is 2 where each side
    had a CPU of its own."""

    rounds: int
    lost: int
    cpus: int


def litmus(rounds: int, *, fence: bool, seconds: float = 3.0) -> Litmus:
    """Play ``rounds``, or as many as ``seconds`` allow, with a full barrier between store and look or without. On one
    CPU, where nothing overlaps, a tenth of that time must do."""
    lib, test = native.lib(), native.struct("vt_litmus")
    cpus = sorted(os.sched_getaffinity(0))
    seconds = seconds if len(cpus) > 1 else seconds / 10

    def side(which: int) -> None:
        with contextlib.suppress(OSError):  # a CPU may be taken from us between two looks: then it runs anywhere
            os.sched_setaffinity(0, {cpus[which % len(cpus)]})
        lib.vt_litmus_run(test, which, rounds, fence)

    sides = [threading.Thread(target=side, args=(which,), daemon=True) for which in (DRIVER, DEVICE)]
    for thread in sides:
        thread.start()
    sides[DRIVER].join(seconds)
    lib.vt_litmus_stop(test)
    for thread in sides:
        thread.join()
    return Litmus(int(test.rounds), int(test.lost), min(2, len(cpus)))
