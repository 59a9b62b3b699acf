"""A run that can be looked at anywhere: events, keyframes, marks. Looking never changes anything."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import msgspec

from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.state import State

KEYFRAME_EVERY = 256


class Mark(msgspec.Struct, frozen=True):
    """A named place: position just before the first event of a step (``begin``) or just after its last."""

    position: int
    step: str
    end: bool


class Timeline:
    """Events in order and the state at any position.

    A position is a count of events folded in: 0 is before the first, ``len(timeline)`` the live edge.
    """

    def __init__(self, events: Iterable[ev.Event] = ()) -> None:
        self.events: list[ev.Event] = []
        self.marks: list[Mark] = []
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

    def visible(self, start: int = 0) -> Iterator[int]:
        """Positions worth stopping at: after each event that has a sentence of its own."""
        state = self.at(start)
        for position in range(start, len(self.events)):
            state = fold(state, self.events[position])
            if state.last is self.events[position]:
                yield position + 1

    def next_stop(self, position: int) -> int:
        """The next position worth stopping at; the last of them is the edge, where the same is shown."""
        stops = self.visible(position)
        following = next(stops, len(self.events))
        return following if next(stops, None) is not None else len(self.events)

    def previous_stop(self, position: int) -> int:
        """The stop before the one that is shown at ``position``, 0 before the first."""
        stops = (place for place in range(position, 0, -1) if self.at(place).last is self.events[place - 1])
        next(stops, 0)
        return next(stops, 0)

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
    """Guest memory as far as events tell it, later writes over earlier ones, in order of writing."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, bytes]] = []
        self._places: dict[int, ev.RingPlace] = {}

    def apply(self, data: ev.AnyPayload) -> None:
        """Take one event's writes."""
        if isinstance(data, ev.Store | ev.Write):
            self.spans.append((data.gpa, bytes.fromhex(data.after)))
        elif isinstance(data, ev.RingPlace):
            self._places[data.queue] = data
        elif isinstance(data, ev.Snapshot) and data.queue in self._places:
            self._snapshot(data, self._places[data.queue])

    def _snapshot(self, data: ev.Snapshot, place: ev.RingPlace) -> None:
        self.spans.append((place.used, data.used_flags.to_bytes(2, "little")))
        self.spans.append((place.used + 2, data.used_idx.to_bytes(2, "little")))
        for slot, head, length in data.used:
            entry = head.to_bytes(4, "little") + length.to_bytes(4, "little")
            self.spans.append((place.used + 4 + 8 * slot, entry))
