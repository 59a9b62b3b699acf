"""The whole loop at speed: a guest in KVM that sends without us, on a queue pair beside the learner's.

Its device is of the kind the lesson runs on (an embedded one with its rings turned in C), its tap one of its own.
Nothing is told event by event; what is counted is read from the guest's memory, from KVM and from the ring.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from msgspec.structs import replace

from tour.errors import TimedOut
from tour.kvm import sender
from tour.net.links import open_links
from tour.net.tap import TapPort
from tour.scene.choose import Chosen
from tour.scene.kvm_guest import KvmGuest
from tour.scene.nic import Nic, Plan
from tour.scene.set_up import set_up
from tour.trace.recorder import Recorder

LOOK_SECONDS = 0.01
STUCK_SECONDS = 5.0
"""Without one more frame for so long, somebody sleeps for ever."""


class Counts(NamedTuple):
    """Of one run: the guest's kicks, the frames it offered and those it has back, interrupts its handler took, returns
    of KVM_RUN, exits of the processor (None: not told by this kernel), seconds."""

    kicks: int
    offered: int
    reaped: int
    handled: int
    returns: int
    exits: int | None
    seconds: float


def send_alone(chosen: Chosen, kicks: int, gear: str = "engine") -> Counts:
    """Let a guest send until it has kicked that often, each frame after the one before came back.

    Raises TimedOut when it stands still before: a wake-up was lost. CapabilityMissing without KVM or tap.
    """
    port = TapPort(name="tap1")
    open_links().set_up(port.name)
    like = replace(chosen, port=port, gear=gear if chosen.device == "embedded" else "")
    nic = Nic(Recorder(), like, Plan())
    try:
        set_up(nic, "attach")
        guest = KvmGuest(nic, kicks)
        guest.listen()
        return _run(guest, kicks)
    finally:
        nic.close()


def _run(guest: KvmGuest, kicks: int) -> Counts:
    begun = moved_at = time.monotonic()
    seen = -1
    guest.machine.start()
    while guest.word(sender.KICKS) < kicks or guest.word(sender.LAST_USED) != guest.word(sender.NEXT_AVAIL):
        now, reaped = time.monotonic(), guest.word(sender.LAST_USED)
        seen, moved_at = (reaped, now) if reaped != seen else (seen, moved_at)
        if now - moved_at > STUCK_SECONDS:
            raise TimedOut(f"The guest stood still after {guest.word(sender.KICKS)} of {kicks} kicks.")
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - begun
    guest.machine.stop()
    counters, word = guest.machine.statistics.read(), guest.word
    return Counts(
        word(sender.KICKS), word(sender.NEXT_AVAIL), word(sender.LAST_USED), word(sender.HANDLED),
        guest.machine.returns, counters.get("exits"), seconds,
    )  # fmt: skip
