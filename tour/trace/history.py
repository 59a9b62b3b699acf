"""A stream that has no end, as far back as it is kept: what was seen lately can be looked at again, what is older is
let go.

A sample stands for itself, so the state of any moment is what stood at the beginning of its block and then, of each
queue, the newest sample and totals. Events are kept as the lines they came in: hours fit where objects would not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator

import msgspec

from tour.trace import events as ev
from tour.trace.fold import fold, tells
from tour.trace.standing import Standing
from tour.trace.state import State

KEPT_BYTES = 32 << 20
"""Lines kept of a live stream: ten minutes of two queues looked at twenty times a second, hours of quiet ones."""
BLOCK_BYTES = 64 << 10
TICK_NS = 20_000_000
"""A ring's totals and its words that lie no further apart were looked at together."""

Key = tuple[str, int] | bool
"""Of a sample or totals whose they are; else whether the event has a sentence."""


class Point(msgspec.Struct, frozen=True):
    """One look at a queue: the position after it, when, its words and, where they are known, its totals. Of neither
    where another front end came: nothing is to be reckoned across that."""

    position: int
    t: int
    sample: ev.Sample | None
    rates: ev.Rates | None


class _Block:
    """Some events: what stood before them, their lines, whose they are and when they were."""

    def __init__(self, first: int, standing: list[ev.Event]) -> None:
        self.first = first
        self.standing = [ev.encode(event) for event in standing]
        self.lines: list[bytes] = []
        self.keys: list[Key] = []
        self.times: list[int] = []
        self.size = sum(map(len, self.standing))
        self.full = max(BLOCK_BYTES, 2 * self.size)

    def append(self, event: ev.Event, t: int) -> None:
        line = ev.encode(event)
        self.lines.append(line)
        self.keys.append(_key(event))
        self.times.append(t)
        self.size += len(line)

    def needed(self, count: int) -> Iterator[bytes]:
        """Of the first ``count`` lines those the state after them depends on: of samples and totals only the last two
        of each queue."""
        seen: dict[Key, int] = {}
        wanted = []
        for at in range(count - 1, -1, -1):
            key = self.keys[at]
            seen[key] = seen.get(key, 0) + 1
            if isinstance(key, bool) or seen[key] <= 2:
                wanted.append(at)
        return (self.lines[at] for at in reversed(wanted))


def _key(event: ev.Event) -> Key:
    data = event.data
    if isinstance(data, ev.Sample | ev.Rates):
        return (type(data).__name__, data.queue)
    return tells(event)


class History:
    """What came, at most ``kept`` bytes of it (None: all). A position counts the events since the beginning, those
    let go included; ``first`` is the earliest that can still be looked at."""

    def __init__(self, kept: int | None = KEPT_BYTES) -> None:
        self._kept = kept
        self._standing = Standing()
        self._packets: dict[int | None, ev.Event] = {}
        self._samples: dict[int, tuple[ev.Event | None, ev.Event]] = {}
        self._blocks: deque[_Block] = deque([_Block(0, [])])
        self._size = 0
        self._edge = State()
        self._length = 0
        self._time = 0
        self._points: dict[int, list[Point]] = {}
        self._last: tuple[int, State] = (0, self._edge)

    def __len__(self) -> int:
        return self._length

    @property
    def first(self) -> int:
        """The earliest position."""
        return self._blocks[0].first

    @property
    def edge(self) -> State:
        """The state after all events."""
        return self._edge

    @property
    def standing(self) -> list[ev.Event]:
        """What a recording that begins now begins with."""
        stands = [one for event in self._standing.events for one in (self._before(event), event) if one]
        return sorted([*stands, *self._packets.values()], key=lambda event: event.seq)

    def _before(self, event: ev.Event) -> ev.Event | None:
        """The sample before that one: what is new in a sample is seen by comparison."""
        return self._samples[event.data.queue][0] if isinstance(event.data, ev.Sample) else None

    def _keep(self, event: ev.Event) -> None:
        data = event.data
        self._standing(event)
        if isinstance(data, ev.Packet):
            self._packets[data.queue] = event
        elif isinstance(data, ev.Sample):
            last = self._samples.get(data.queue)
            self._samples[data.queue] = (last[1] if last else None, event)
        elif isinstance(data, ev.Hello | ev.Watching):
            self._samples.clear()

    def append(self, event: ev.Event) -> State:
        """Take the next event. Raises FoldError."""
        self._edge = fold(self._edge, event)
        if self._blocks[-1].size > self._blocks[-1].full:
            self._begin_block()
        before = self._blocks[-1].size
        # A stream begins when its Hello was said: what stood then is older, but was not seen before.
        self._time = max(self._time, event.t) if not isinstance(event.data, ev.Hello) else event.t
        self._blocks[-1].append(event, self._time)
        self._size += self._blocks[-1].size - before
        self._length += 1
        self._keep(event)
        self._take_point(event)
        return self._edge

    def _begin_block(self) -> None:
        self._blocks.append(_Block(self._length, self.standing))
        self._size += self._blocks[-1].size
        while self._kept is not None and self._size > self._kept and len(self._blocks) > 2:
            self._size -= self._blocks.popleft().size
            for points in self._points.values():
                del points[: bisect_right(points, self.first, key=lambda point: point.position)]

    def _take_point(self, event: ev.Event) -> None:
        data = event.data
        if isinstance(data, ev.Hello | ev.Watching):
            for points in self._points.values():
                points.append(Point(self._length, event.t, None, None))
        if not isinstance(data, ev.Sample | ev.Rates):
            return
        points = self._points.setdefault(data.queue, [])
        last = points[-1] if points else None
        sample = _bare(data) if isinstance(data, ev.Sample) else last.sample if last else None
        rates = data if isinstance(data, ev.Rates) else last.rates if last else None
        point = Point(self._length, event.t, sample, rates)
        if last is not None and isinstance(data, ev.Sample) and event.t - last.t < TICK_NS:
            points[-1] = point
        else:
            points.append(point)

    # looking

    def at(self, position: int) -> State:
        """The state after the first ``position`` events; out of range is clamped."""
        position = max(self.first, min(position, self._length))
        if position == self._length:
            return self._edge
        if position != self._last[0]:
            block = self._block(position)
            state = State()
            for line in (*block.standing, *block.needed(position - block.first)):
                state = fold(state, ev.decode(line))
            self._last = (position, state)
        return self._last[1]

    def _block(self, position: int) -> _Block:
        """The block that holds the event before ``position``."""
        found = bisect_left(self._blocks, position, key=lambda block: block.first) - 1
        return self._blocks[max(0, found)]

    def time(self, position: int) -> int:
        """When the event before ``position`` was seen (ns)."""
        block = self._block(position)
        at = max(0, position - block.first - 1)
        return block.times[at] if at < len(block.times) else 0

    def position_at(self, t: int) -> int:
        """The position after the last event that had been told by ``t`` (ns); the first where there is none."""
        for block in reversed(self._blocks):
            if block.times and (block.times[0] <= t or block is self._blocks[0]):
                return max(self.first + 1, block.first + bisect_right(block.times, t))
        return self._length

    def stop_before(self, position: int, queue: int) -> int:
        """The last position before ``position`` at which something new of ``queue``, or of no queue, is seen."""
        return next((at for at in range(position - 1, self.first, -1) if self._stops(at, queue)), self.first + 1)

    def stop_after(self, position: int, queue: int) -> int:
        """The first such position after ``position``; the edge is the last."""
        return next((at for at in range(position + 1, self._length) if self._stops(at, queue)), self._length)

    def _stops(self, position: int, queue: int) -> bool:
        block = self._block(position)
        key = block.keys[position - block.first - 1]
        return key == ("Sample", queue) or key is True

    def points(self, queue: int, position: int, count: int, apart: int = 0) -> list[Point]:
        """The last ``count`` looks at ``queue`` up to ``position``, at least ``apart`` ns from one to the next, oldest
        first."""
        points = self._points.get(queue, [])
        at = bisect_right(points, position, key=lambda point: point.position) - 1
        found: list[Point] = []
        while at >= 0 and len(found) < count:
            found.append(points[at])
            at = min(at - 1, bisect_right(points, points[at].t - apart, 0, at, key=lambda point: point.t) - 1)
        return found[::-1]


def _bare(sample: ev.Sample) -> ev.Sample:
    """The words of a sample, without its rows."""
    return msgspec.structs.replace(sample, avail=[], used=[], desc=[])
