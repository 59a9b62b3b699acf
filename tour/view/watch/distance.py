"""Where a ring's indices stand to one another."""

from __future__ import annotations

import msgspec

from tour.trace.events import Sample


class Distance(msgspec.Struct, frozen=True):
    """Descriptor chains: ``waiting`` published and not yet read by the device, ``work`` read and not yet returned,
    ``open`` both together; the first two are None where the device's own index is not known. ``sound`` is False when
    the indices cannot be those of one instant of a working ring."""

    waiting: int | None
    work: int | None
    open: int
    sound: bool = True


def distance(sample: Sample) -> Distance:
    """The distances, modulo 2^16."""
    whole = (sample.avail_idx - sample.used_idx) & 0xFFFF
    if sample.last_avail_idx is None:
        return Distance(None, None, whole, whole <= sample.num)
    waiting = (sample.avail_idx - sample.last_avail_idx) & 0xFFFF
    work = (sample.last_avail_idx - sample.used_idx) & 0xFFFF
    return Distance(waiting, work, whole, max(waiting, work, whole) <= sample.num)


def part(sample: Sample, slot: int) -> str:
    """Whose turn it is with what the avail ring's ``slot`` names: ``waiting``, ``work`` or ``free``."""
    far = distance(sample)
    offset = (slot - sample.used_idx) % sample.num
    work = far.open if far.work is None else far.work
    if offset < min(work, sample.num):
        return "work"
    return "waiting" if offset < min(far.open, sample.num) else "free"
