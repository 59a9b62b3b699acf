"""The available and the used ring: slots, the four indices, the distances in words."""

from __future__ import annotations

import msgspec

from tour.trace.state import Ring
from tour.view.area import Area, View
from tour.view.canvas import width_of

LABEL = 11


class Slots(msgspec.Struct, frozen=True):
    """Which slots are shown: the numbers, the first one's column and the cells from one to the next."""

    shown: tuple[int, ...]
    x: int
    stride: int
    partial: bool

    def column(self, slot: int) -> int | None:
        """The column of a slot's middle, None when it is not shown."""
        return self.x + 1 + self.shown.index(slot) * self.stride if slot in self.shown else None


def slots(ring: Ring, w: int, *, wide: bool) -> Slots:
    """The slots that fit in ``w`` cells: all of them, else a window around the indices."""
    x = LABEL + (1 if wide else 0)
    stride = max(4, len(str(max(ring.num - 1, 0))) + 3)
    room = max(1, (w - x) // stride)
    if ring.num <= room:
        return Slots(tuple(range(ring.num)), x, stride, False)
    room = max(1, (w - x - 3) // stride)
    start = _window(ring, room)
    return Slots(tuple((start + step) % ring.num for step in range(room)), x + 2, stride, True)


def _window(ring: Ring, room: int) -> int:
    """First slot of a window of ``room`` that holds the most of the four indices, newest work preferred."""
    newest = ring.avail_idx
    oldest = ring.last_used_idx if (newest - ring.last_used_idx) & 0xFFFF < room else ring.used_idx
    if (newest - oldest) & 0xFFFF >= room:
        oldest = ring.last_avail_idx
    if (newest - oldest) & 0xFFFF >= room:
        oldest = newest - room + 1
    return oldest % ring.num if ring.num else 0


def draw(area: Area, view: View, ring: Ring) -> None:
    """Slot numbers, both rings with their marks, and a legend, as far as ``area`` has rows (4 to 6)."""
    shown = slots(ring, area.w, wide=view.wide)
    row = 0
    if area.h >= 5:
        _numbers(area, shown)
        row = 1
    _entries(area, row, view, ring, shown, "avail")
    _indices(area, row + 1, view, ring, shown, "avail")
    _entries(area, row + 2, view, ring, shown, "used")
    _indices(area, row + 3, view, ring, shown, "used")
    if row + 4 < area.h:
        words = legend(view, ring, area.w - shown.x)
        area.put(max(1, min(shown.x, area.w - width_of(words))), row + 4, words, "dim")


def _numbers(area: Area, shown: Slots) -> None:
    for position, slot in enumerate(shown.shown):
        area.put(shown.x + 1 + position * shown.stride, 0, str(slot), "dim")
    if shown.partial:
        area.put(shown.x - 2, 0, "…", "dim")
        area.put(shown.x + len(shown.shown) * shown.stride, 0, "…", "dim")


def _entries(area: Area, y: int, view: View, ring: Ring, shown: Slots, which: str) -> None:
    writer, letter = ("driver", "D") if which == "avail" else ("device", "V")
    area.put(1, y, letter, writer)
    area.put(3, y, view.tr(f"queue.{which}"), "head")
    fresh = live(view, ring, which)
    for position, slot in enumerate(shown.shown):
        head = head_of(ring, which, slot)
        x = shown.x + position * shown.stride
        area.anchor(f"{ring.name}.{which}.ring[{slot}]", x, y, 3)
        key = f"{ring.name}.{which}.ring[{slot}]"
        style = view.style(key, writer)
        if head is None:
            area.put(x + 1, y, ".", "dim")
        else:
            guess = "~" if view.guessed(key) else ""
            area.put(x, y, f"{guess}[{head}]", style if "+" in style or slot in fresh else f"{writer}+off")


def head_of(ring: Ring, which: str, slot: int) -> int | None:
    """The head that a slot of that ring names, None for one never written."""
    if which == "avail":
        return ring.avail_ring[slot] if slot < len(ring.avail_ring) else None
    entry = ring.used_ring[slot] if slot < len(ring.used_ring) else None
    return entry[0] if entry else None


def live(view: View, ring: Ring, which: str) -> set[int]:
    """Slots written and not yet read by the other side, those being filled included."""
    write, read, _ = ends(view, ring, which)
    filled = ((ring.avail_shadow if which == "avail" else ring.used_shadow) - write) & 0xFFFF
    distance = ((write - read) & 0xFFFF) + (filled if filled <= ring.num else 0)
    return {(read + step) % ring.num for step in range(min(distance, ring.num))} if ring.num else set()


def _indices(area: Area, y: int, view: View, ring: Ring, shown: Slots, which: str) -> None:
    value = ring.avail_idx if which == "avail" else ring.used_idx
    writer, reader = ("driver", "device") if which == "avail" else ("device", "driver")
    key = f"{ring.name}.{which}.idx"
    number = f"~{value}" if view.guessed(key) else str(value)
    x = 3 if len(number) <= 3 else 1
    end = area.put(x, y, f"idx {number}", view.style(key, writer))
    if key in view.state.changed:
        area.put(end + (1 if len(number) <= 3 else 0), y, "*", writer)
    area.anchor(key, x + 4, y, len(number))
    taken = _marks(area, y, view, ring, shown, which, writer, reader)
    words = distance(view, which, *ends(view, ring, which))
    place = _gap(area.w, shown.x, width_of(words), taken, 45 if view.wide else 31)
    if place is not None:
        area.put(place, y, words, "text+step" if key in view.state.changed else "text")


def _marks(area: Area, y: int, view: View, ring: Ring, shown: Slots, which: str, writer: str, reader: str) -> list[int]:
    """The letters w and r below their slots; returns the columns taken."""
    write, read, guessed = ends(view, ring, which)
    private = f"{ring.name}.{'last_avail_idx' if which == 'avail' else 'last_used_idx'}"
    taken = []
    beyond = shown.x + len(shown.shown) * shown.stride if shown.partial else None
    at_write = shown.column(write % ring.num) if ring.num else None
    at_read = shown.column(read % ring.num) if ring.num else None
    at_write, at_read = (beyond if at is None else at for at in (at_write, at_read))
    if at_read is not None and at_read == at_write:
        at_read += 1
    if at_write is not None:
        area.put(at_write, y, "w", view.style(f"{ring.name}.{which}.idx", writer))
        taken.append(at_write)
    if at_read is not None:
        area.put(at_read, y, "r~" if guessed else "r", view.style(private, reader))
        area.anchor(private, at_read, y)
        taken.append(at_read)
    return taken


def _gap(w: int, start: int, room: int, taken: list[int], wanted: int) -> int | None:
    """A column where ``room`` cells with a blank on both sides touch no mark, the one nearest to ``wanted``."""
    free = [x for x in range(start, w - room + 1) if not any(x - 1 <= mark <= x + room for mark in taken)]
    return min(free, key=lambda x: (abs(x - wanted), -x), default=None)


def draw_brief(area: Area, view: View, ring: Ring) -> None:
    """Two rows where there is no room for slots: each ring's idx, its slots to write and to read, its distance."""
    for y, which in enumerate(("avail", "used")):
        writer, reader = ("driver", "device") if which == "avail" else ("device", "driver")
        write, read, guessed = ends(view, ring, which)
        key = f"{ring.name}.{which}.idx"
        area.put(1, y, "D" if which == "avail" else "V", writer)
        area.put(3, y, view.tr(f"queue.{which}"), "head")
        end = area.put(LABEL, y, f"idx {write}", view.style(key, writer))
        area.anchor(key, LABEL + 4, y, 5)
        area.put(end + 1, y, "*" if key in view.state.changed else " ", writer)
        area.put(23, y, f"w {view.tr('queue.slot', n=write % ring.num)}", writer)
        area.put(34, y, f"r {view.tr('queue.slot', n=read % ring.num)}", reader)
        area.put(46, y, distance(view, which, write, read, guessed))


def ends(view: View, ring: Ring, which: str) -> tuple[int, int, bool]:
    """Next to write, next to read, and whether the latter is inferred: a device whose last_avail_idx was not
    asked for since has at least read what it has returned."""
    if which == "used":
        return ring.used_idx, ring.last_used_idx, False
    behind = (ring.used_idx - ring.last_avail_idx) & 0xFFFF
    stale = view.looked_at and 0 < behind <= ring.num
    return ring.avail_idx, ring.used_idx if stale else ring.last_avail_idx, stale


def distance(view: View, which: str, write: int, read: int, guessed: bool) -> str:
    """In words how far the one who reads is behind the one who writes."""
    number = f"{'~' if guessed else ''}{(write - read) & 0xFFFF}"
    return view.tr("queue.waiting" if which == "avail" else "queue.to_reap", n=number)


def legend(view: View, ring: Ring, room: int) -> str:
    """What the marks mean; once an idx has left the ring's size, which slot it stands for."""
    return slots_words(view, ring, room) or marks_words(view, room)


def marks_words(view: View, room: int) -> str:
    """What the marks below the slots mean, in so many cells."""
    long = view.tr("queue.legend_kernel" if view.looked_at else "queue.legend_ours")
    return long if width_of(long) <= room else view.tr("queue.legend")


def slots_words(view: View, ring: Ring, room: int) -> str:
    """Which slot an idx that has left the ring's size stands for; empty while none has."""
    parts = [_slot_words(view, ring, "avail", ring.avail_idx), _slot_words(view, ring, "used", ring.used_idx)]
    words = ", ".join(part for part in parts if part)
    return words if width_of(words) < room + LABEL - 2 else parts[0] or parts[1]


def _slot_words(view: View, ring: Ring, which: str, idx: int) -> str:
    if not ring.num or idx < ring.num:
        return ""
    return view.tr("queue.idx_slot", ring=view.tr(f"queue.{which}"), idx=idx, slot=idx % ring.num)
