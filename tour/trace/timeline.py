"""A run that can be looked at anywhere: events, keyframes, marks. Looking never changes anything."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from tour.trace import events as ev
from tour.trace.fold import fold, tells
from tour.trace.state import State

KEYFRAME_EVERY = 256


class Mark(msgspec.Struct, frozen=True):
    """A named place: position just before the first event of a step (``begin``) or just after its last."""

    position: int
    step: str
    end: bool


class Timeline:
    """Events in order and the state at any position, never more than ``KEYFRAME_EVERY`` folds away.

    A position is a count of events folded in: 0 is before the first, ``len(timeline)`` the live edge.
    """

    def __init__(self, events: Iterable[ev.Event] = ()) -> None:
        self.events: list[ev.Event] = []
        self.marks: list[Mark] = []
        self.stops: list[int] = []
        """Positions worth stopping at: after each event that has a sentence of its own."""
        self._keyframes: list[State] = [State()]
        self._edge = State()
        self._last: tuple[int, State] = (0, self._edge)
        for event in events:
            self.append(event)

    def __len__(self) -> int:
        return len(self.events)

    def append(self, event: ev.Event) -> State:
        """Take the next event; returns the state at the new edge. Raises FoldError."""
        self._edge = fold(self._edge, event)
        self.events.append(event)
        if len(self.events) % KEYFRAME_EVERY == 0:
            self._keyframes.append(self._edge)
        if tells(event):
            self.stops.append(len(self.events))
        if isinstance(event.data, ev.Step):
            ends = event.data.mark == "end"
            self.marks.append(Mark(len(self.events) - (0 if ends else 1), event.data.step, ends))
        return self._edge

    @property
    def edge(self) -> State:
        """The state after all events."""
        return self._edge

    def at(self, position: int) -> State:
        """The state after the first ``position`` events; out of range is clamped."""
        position = max(0, min(position, len(self.events)))
        if position == len(self.events):
            return self._edge
        start, state = self._nearest(position)
        for event in self.events[start:position]:
            state = fold(state, event)
        self._last = (position, state)
        return state

    def _nearest(self, position: int) -> tuple[int, State]:
        key = position // KEYFRAME_EVERY
        start = key * KEYFRAME_EVERY
        if start <= self._last[0] <= position:
            return self._last
        return start, self._keyframes[key]

    def next_stop(self, position: int) -> int:
        """The next position worth stopping at; the last of them is the edge, where the same is shown."""
        at = bisect_right(self.stops, position)
        return self.stops[at] if at < len(self.stops) - 1 else len(self.events)

    def previous_stop(self, position: int) -> int:
        """The stop before the one that is shown at ``position``, 0 before the first."""
        at = bisect_right(self.stops, position) - 2
        return self.stops[at] if at >= 0 else 0

    def mark(self, step: str, *, end: bool = False) -> Mark | None:
        """The first mark of that step's begin or end."""
        return next((mark for mark in self.marks if mark.step == step and mark.end == end), None)

    def mark_before(self, position: int) -> Mark | None:
        """The last mark at or before ``position``."""
        index = bisect_right([mark.position for mark in self.marks], position)
        return self.marks[index - 1] if index else None

    def image(self, position: int) -> list[tuple[int, bytes]]:
        """Every byte of guest memory the events up to ``position`` wrote, as (gpa, bytes) in order of writing:
        what a fork needs. Later writes lie over earlier ones; what snapshots saw is included."""
        image = Image()
        for event in self.events[:position]:
            image.apply(event.data)
        return image.spans


class Image:
    """Guest memory as far as events tell it, later writes over earlier ones, in order of writing.

    Bytes of a buffer that were written again in the same place are kept once; a ring's stores are all kept, for their
    order tells who holds what.
    """

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._stores = 0
        self._places: dict[int, ev.RingPlace] = {}

    @property
    def spans(self) -> list[tuple[int, bytes]]:
        """Pieces as (gpa, bytes)."""
        return list(self._spans.values())

    def apply(self, data: ev.AnyPayload) -> None:
        """Take one event's writes."""
        if isinstance(data, ev.Write):
            key = (data.gpa, len(data.after))
            self._spans.pop(key, None)
            self._spans[key] = (data.gpa, bytes.fromhex(data.after))
        elif isinstance(data, ev.Store):
            self._put(data.gpa, bytes.fromhex(data.after))
        elif isinstance(data, ev.RingPlace):
            self._places[data.queue] = data
        elif isinstance(data, ev.Snapshot) and data.queue in self._places:
            self._snapshot(data, self._places[data.queue])

    def _put(self, gpa: int, data: bytes) -> None:
        self._stores -= 1
        self._spans[gpa, self._stores] = (gpa, data)

    def _snapshot(self, data: ev.Snapshot, place: ev.RingPlace) -> None:
        self._put(place.used, data.used_flags.to_bytes(2, "little"))
        self._put(place.used + 2, data.used_idx.to_bytes(2, "little"))
        for slot, head, length in data.used:
            self._put(place.used + 4 + 8 * slot, head.to_bytes(4, "little") + length.to_bytes(4, "little"))
