"""Fold, the part of watching: samples become a ring's words and rows, totals are kept for a few seconds' rates.

A sample stands for itself: one that was lost leaves no trace once the next is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.fold_ring import put_ring, ring_of
from tour.trace.state import Ring, State, Watched
from tour.trace.tables import Slots, Table

Changes = tuple[State, Iterable[str]]
RATES_KEPT = 64
"""Totals kept a queue: three seconds at 20 Hz."""
_WORDS = {
    "avail_idx": "avail.idx", "avail_flags": "avail.flags", "used_event": "avail.used_event", "used_idx": "used.idx",
    "used_flags": "used.flags", "avail_event": "used.avail_event", "last_avail_idx": "last_avail_idx",
    "broken": "broken",
}  # fmt: skip


def _watching(state: State, data: ev.Watching) -> Changes:
    """A front end came or left: of the rings before nothing holds."""
    if not 2 <= data.queues <= ev.QUEUES_MAX:
        raise ValueError(f"{data.queues} queues")
    blank = tuple(Ring(index) for index in range(data.queues))
    return replace(state, watching=data, rings=blank, watched=(), table=None, features=None), ("watching",)


def _sample(state: State, data: ev.Sample) -> Changes:
    before = ring_of(state, data.queue)
    after = _with_rows(_with_words(_blank(before, data.num), data), data)
    watched = state.watched_of(data.queue)
    watched = replace(watched, sample=data, before=watched.sample)
    state = put_ring(_with_watched(state, watched), after)
    return state, _changed(before, after, data)


def _blank(ring: Ring, num: int) -> Ring:
    """The ring, its rows empty when its size is another than known."""
    if not 1 <= num <= 32768:
        raise ValueError(f"num {num}")
    if num == ring.num:
        return ring
    empty = Table.filled(num, None)
    return replace(ring, num=num, desc=empty, avail_ring=empty, used_ring=empty, taken=Slots(), held=Slots())


def _with_words(ring: Ring, data: ev.Sample) -> Ring:
    words = (data.avail_idx, data.avail_flags, data.used_idx, data.used_flags)
    for word in (*words, data.used_event or 0, data.avail_event or 0, data.last_avail_idx or 0):
        word.to_bytes(2, "little")
    known = ring.last_avail_idx if data.last_avail_idx is None else data.last_avail_idx
    return replace(
        ring, avail_idx=data.avail_idx, avail_flags=data.avail_flags, used_event=data.used_event,
        used_idx=data.used_idx, used_flags=data.used_flags, avail_event=data.avail_event, last_avail_idx=known,
        broken=data.broken or None,
    )  # fmt: skip


def _with_rows(ring: Ring, data: ev.Sample) -> Ring:
    """Rows the sample tells; what the device holds are the published heads of which no used entry tells yet."""
    desc, avail, used = ring.desc, ring.avail_ring, ring.used_ring
    for index, gpa, length, flags, following in data.desc:
        desc = desc.put(index, (gpa, length, flags, following))
    for slot, head in data.avail:
        avail = avail.put(slot, head)
    for slot, head, length in data.used:
        used = used.put(slot, (head, length))
    open_ = min((data.avail_idx - data.used_idx) & 0xFFFF, data.num)
    slots = {(data.avail_idx - 1 - n) % data.num for n in range(open_)}
    held = Slots(head for slot, head in data.avail if slot in slots)
    return replace(ring, desc=desc, avail_ring=avail, used_ring=used, held=held)


def _changed(before: Ring, after: Ring, data: ev.Sample) -> list[str]:
    keys = [key for name, key in _WORDS.items() if getattr(before, name) != getattr(after, name)]
    keys += [f"avail.ring[{slot}]" for slot, _ in data.avail if _row(before.avail_ring, slot) != after.avail_ring[slot]]
    keys += [f"used.ring[{slot}]" for slot, *_ in data.used if _row(before.used_ring, slot) != after.used_ring[slot]]
    keys += [f"desc[{index}]" for index, *_ in data.desc if _row(before.desc, index) != after.desc[index]]
    return [f"{after.name}.{key}" for key in keys]


def _row(table: Table[Any], slot: int) -> Any:
    return table[slot] if slot < len(table) else None


def _rates(state: State, data: ev.Rates) -> Changes:
    ring_of(state, data.queue)
    watched = state.watched_of(data.queue)
    rates = (*watched.rates[1 - RATES_KEPT :], data)
    return _with_watched(state, replace(watched, rates=rates)), ()


def _with_watched(state: State, watched: Watched) -> State:
    others = [one for one in state.watched if one.queue != watched.queue]
    return replace(state, watched=tuple(sorted((*others, watched), key=lambda one: one.queue)))


SAMPLE_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {
    ev.Watching: _watching, ev.Sample: _sample, ev.Rates: _rates,
}  # fmt: skip
