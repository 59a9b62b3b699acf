"""One look at a ring from outside: its words and newest rows, read as copies and kept only as far as two reads agree.

Nothing here writes, and nothing can fault: ``Eye.read`` copies or raises OSError.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from tour.abi.layouts import VRING_DESC
from tour.trace.events import WINDOW, Packet, Rates, Sample
from tour.virtqueue.layout import RingLayout

WHOLE = 1024
"""A table of so many rows is read at once; of a longer one only the rows that are told."""
NEXT, INDIRECT = 1, 4
_WORDS, _ENTRY, _USED = struct.Struct("<HH"), struct.Struct("<H"), struct.Struct("<II")
_DESC = struct.Struct(VRING_DESC.format)


class Standing(NamedTuple):
    """What is known of a running ring besides its memory: where it lies (addresses that ``Eye.read`` takes), and of
    the device's own numbers those that can be known."""

    place: RingLayout
    event_idx: bool
    last_avail_idx: int | None = None
    held: bool = False
    broken: str = ""


class Eye(Protocol):
    """Someone who can look at one ring. ``queue`` is its number in what is told."""

    @property
    def queue(self) -> int:
        """The ring's number."""

    @property
    def exact(self) -> bool:
        """Whether ``totals`` are the device's own counters."""

    def stands(self) -> Standing | None:
        """What is known of the ring now, None while it does not run."""

    def read(self, address: int, size: int) -> bytes:
        """A copy of memory. Raises OSError where there is none."""

    def totals(self) -> Rates | None:
        """The device's counters, None where it keeps none."""

    def packet(self) -> Packet | None:
        """A packet that went through since it was asked last, None where there is none or none can be had."""


class _Words(NamedTuple):
    avail_flags: int
    avail_idx: int
    used_flags: int
    used_idx: int
    used_event: int | None
    avail_event: int | None


class _Rows(NamedTuple):
    avail: list[list[int]]
    used: list[list[int]]
    desc: list[list[int]]


def look(eye: Eye, before: Sample | None = None) -> Sample | None:
    """The ring as it is now; None while it does not run, or when nothing differs from ``before``.

    Raises OSError where its memory cannot be read any more.
    """
    t_from = time.monotonic_ns()
    seen = _glance(eye)
    if seen is None or (before is not None and _known(*seen) == _told(before)):
        return None
    rows = _rows(eye, *seen)
    again = _glance(eye)
    steady = again == seen
    if again is not None and not steady:
        seen, second = again, _rows(eye, *again)
        again = _glance(eye)
        steady = again == seen
        rows = second if steady else _alike(rows, second)
    if again is None:
        return None
    return _sample(eye.queue, *seen, rows, t_from, steady)


def _sample(queue: int, standing: Standing, words: _Words, rows: _Rows, t_from: int, steady: bool) -> Sample:
    return Sample(
        queue, t_from, time.monotonic_ns(), standing.place.num, words.avail_idx, words.avail_flags,
        words.used_idx, words.used_flags, words.used_event, words.avail_event, standing.last_avail_idx,
        rows.avail, rows.used, rows.desc, steady, standing.held, standing.broken,
    )  # fmt: skip


def _known(standing: Standing, words: _Words) -> tuple[object, ...]:
    return (words, standing.place.num, standing.last_avail_idx, standing.held, standing.broken, True)


def _told(sample: Sample) -> tuple[object, ...]:
    words = _Words(
        sample.avail_flags, sample.avail_idx, sample.used_flags, sample.used_idx, sample.used_event, sample.avail_event
    )
    return (words, sample.num, sample.last_avail_idx, sample.held, sample.broken, sample.running)


def _glance(eye: Eye) -> tuple[Standing, _Words] | None:
    """The words, None when the ring does not run. Indices only grow: read in this order, used.idx cannot be beyond
    last_avail_idx, nor that beyond avail.idx, however fast they move."""
    first = eye.stands()
    if first is None:
        return None
    place = first.place
    used_flags, used_idx = _WORDS.unpack(eye.read(place.used_flags, 4))
    standing = eye.stands()
    if standing is None or standing.place != place:
        return None
    avail_flags, avail_idx = _WORDS.unpack(eye.read(place.avail_flags, 4))
    if standing.last_avail_idx is None and used_idx == avail_idx:
        standing = standing._replace(last_avail_idx=used_idx)  # all that was published is used, so it was read as well
    if not standing.event_idx:
        return standing, _Words(avail_flags, avail_idx, used_flags, used_idx, None, None)
    used_event, avail_event = (_ENTRY.unpack(eye.read(at, 2))[0] for at in (place.used_event, place.avail_event))
    return standing, _Words(avail_flags, avail_idx, used_flags, used_idx, used_event, avail_event)


def _rows(eye: Eye, standing: Standing, words: _Words) -> _Rows:
    place = standing.place
    heads = _table(eye, place.avail_ring(0), _ENTRY, place.num)
    avail = [[slot, *heads(slot)] for slot in _avail_slots(place.num, words, standing.last_avail_idx)]
    elements = _table(eye, place.used_ring(0), _USED, place.num)
    first = words.used_idx - min(WINDOW, place.num)
    used = [[slot, *elements(slot)] for slot in ((first + n) % place.num for n in range(min(WINDOW, place.num)))]
    return _Rows(avail, used, _chains(eye, place, [head for _, head in avail]))


def _table(eye: Eye, base: int, row: struct.Struct, num: int) -> Callable[[int], tuple[int, ...]]:
    """What gives a row of a table by its number: of a table that is not long from one copy of it all."""
    if num > WHOLE:
        return lambda index: row.unpack(eye.read(base + row.size * index, row.size))
    data = eye.read(base, row.size * num)
    return lambda index: row.unpack_from(data, row.size * index)


def _avail_slots(num: int, words: _Words, last_avail_idx: int | None) -> list[int]:
    """The newest slots; of a long queue half of them are those that the device reads next."""
    newest = words.avail_idx
    count = min(WINDOW, num)
    start = words.used_idx if last_avail_idx is None else last_avail_idx
    waiting = (newest - start) & 0xFFFF
    if waiting <= count or waiting > num:
        return [(newest - count + n) % num for n in range(count)]
    next_, last = count // 2, count - count // 2
    return [(start + n) % num for n in range(next_)] + [(newest - last + n) % num for n in range(last)]


def _chains(eye: Eye, place: RingLayout, heads: Iterable[int]) -> list[list[int]]:
    """Descriptors of the chains at ``heads``, the newest heads first, as many as a sample tells; newest last."""
    table = _table(eye, place.desc, _DESC, place.num)
    rows: dict[int, list[int]] = {}
    for head in reversed(list(heads)):
        index = head
        while index < place.num and index not in rows and len(rows) < WINDOW:
            gpa, length, flags, following = table(index)
            rows[index] = [index, gpa, length, flags, following]
            index = following if flags & NEXT and not flags & INDIRECT else place.num
    return list(reversed(rows.values()))


def _alike(rows: _Rows, again: _Rows) -> _Rows:
    """What two reads showed alike."""
    return _Rows(*([row for row in part if row in second] for part, second in zip(rows, again, strict=True)))
