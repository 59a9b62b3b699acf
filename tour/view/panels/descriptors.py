"""The descriptor table: who holds what, runs of alike descriptors folded together."""

from __future__ import annotations

import msgspec

from tour.trace.state import Ring
from tour.view.area import Area, View
from tour.view.text import cut

NEXT, WRITE, INDIRECT = 1, 2, 4
ANCHORS_MOST = 64


class Run(msgspec.Struct, frozen=True):
    """Descriptors ``first`` to ``last`` that look alike; ``holder`` is free, driver or device."""

    first: int
    last: int
    holder: str


_runs_cache: dict[int, tuple[Ring, list[Run]]] = {}


def holders(ring: Ring) -> list[str]:
    """Who holds each descriptor."""
    device = ring.with_device()
    return [
        "device" if index in device else "driver" if index in ring.taken else "free" for index in range(len(ring.desc))
    ]


def runs(ring: Ring) -> list[Run]:
    """The table as runs of descriptors with the same holder, length and flags; chains are not folded."""
    known = _runs_cache.get(id(ring))
    if known and known[0] is ring:
        return known[1]
    found: list[Run] = []
    last: object = None
    for index, holder in enumerate(holders(ring)):
        entry = ring.desc[index]
        alike: object = (holder, entry[1:3] if entry else None) if holder != "free" else "free"
        if found and alike == last and not (entry and holder != "free" and entry[2] & (NEXT | INDIRECT)):
            found[-1] = Run(found[-1].first, index, holder)
        else:
            found.append(Run(index, index, holder))
        last = alike
    if len(_runs_cache) > 8:
        _runs_cache.clear()
    _runs_cache[id(ring)] = (ring, found)
    return found


def draw(area: Area, view: View, ring: Ring, before: Ring) -> None:
    """Column heads and as many rows as fit; ``before`` is the ring at the step's begin."""
    area.put(1, 0, "D", "driver")
    area.put(3, 0, view.tr("queue.descriptors"), "head")
    flags_at, held_at = (21, 28) if area.w >= 38 else (28, 21)
    area.put(3, 1, "#", "dim")
    area.put(6, 1, "gpa", "dim")
    area.put(16, 1, "len", "dim")
    if area.w >= 38:
        area.put(flags_at, 1, "flags", "dim")
    area.put(held_at, 1, view.tr("queue.held_by"), "dim")
    room = area.h - 2
    shown = lines(ring, room)
    for row, line in enumerate(shown[:room]):
        _line(area.sub(0, row + 2, area.w, 1), view, ring, before, line)
    if len(shown) > room > 0:
        area.right(area.h - 1, view.tr("queue.more", n=len(shown) - room), "dim", end=area.w - 1)


def lines(ring: Ring, room: int) -> list[tuple[int, int, str, str]]:
    """(first, last, label, holder) a row; runs are shortened to 'first, second, ... last' when they do not fit."""
    found = runs(ring)
    whole = sum(1 if run.holder == "free" else run.last - run.first + 1 for run in found)
    rows: list[tuple[int, int, str, str]] = []
    shorten = whole > room
    single = shorten and sum(1 if run.holder == "free" else min(3, run.last - run.first + 1) for run in found) > room
    for run in found:
        rows += _run_lines(run, shorten=shorten, single=single)
    return rows


def _run_lines(run: Run, *, shorten: bool, single: bool) -> list[tuple[int, int, str, str]]:
    span = run.last - run.first + 1
    label = f"{run.first}" if span == 1 else f"{run.first}-{run.last}"
    if run.holder == "free" or span == 1 or single:
        return [(run.first, run.last, label, run.holder)]
    if shorten and span > 3:
        first = [(index, index, str(index), run.holder) for index in (run.first, run.first + 1)]
        return [*first, (run.first + 2, run.last, f"... {run.last}", run.holder)]
    return [(index, index, str(index), run.holder) for index in range(run.first, run.last + 1)]


def _line(area: Area, view: View, ring: Ring, before: Ring, line: tuple[int, int, str, str]) -> None:
    first, last, label, holder = line
    for index in range(first, min(last + 1, first + ANCHORS_MOST)):
        area.anchor(f"{ring.name}.desc[{index}]", 3, 0, area.w - 4)
    style = _style(view, ring, first, last)
    entry = ring.desc[first]
    x = area.put(3, 0, label, style)
    if holder == "free" or entry is None:
        area.put(x + 1, 0, view.tr("held.free"), style if "+" in style else "dim")
        return
    if first == last:
        area.put(6, 0, f"{entry[0]:#x}", style)
    area.right(0, str(entry[1]), style, end=max(19, x + 6))
    if area.w >= 38:
        area.put(21, 0, flags_text(entry, short=False), style, limit=7)
        _holder(area, view, 28, ring, before, first, holder)
    else:
        _holder(area, view, 21, ring, before, first, holder)
        area.put(28, 0, flags_text(entry, short=True), style)


def _style(view: View, ring: Ring, first: int, last: int) -> str:
    styles = {view.style(f"{ring.name}.desc[{index}]", "driver") for index in range(first, min(last, first + 64) + 1)}
    return next((style for style in ("driver+now", "driver+step") if style in styles), "driver")


def _holder(area: Area, view: View, x: int, ring: Ring, before: Ring, index: int, holder: str) -> None:
    moved = index < len(before.desc) and before is not ring and held_before(before, index) != holder
    words = view.tr(f"held.{holder}")
    area.put(x, 0, cut(words.upper() if moved else words, area.w - x), f"{holder}+now" if moved else holder)


def held_before(before: Ring, index: int) -> str:
    """Who held descriptor ``index`` of the ring as it was."""
    return next((run.holder for run in runs(before) if run.first <= index <= run.last), "free")


def flags_text(entry: tuple[int, int, int, int], *, short: bool) -> str:
    """A descriptor's flags in words (``WRITE``, ``NEXT 3``, ``INDIR``) or letters (``W``, ``N>3``, ``I``)."""
    flags, following = entry[2], entry[3]
    words = []
    for bit, word, letter in ((WRITE, "WRITE", "W"), (NEXT, f"NEXT {following}", f"N>{following}"),
                              (INDIRECT, "INDIR", "I")):  # fmt: skip
        if flags & bit:
            words.append((word, letter))
    if short or len(words) > 1:
        return "".join(letter for _, letter in words)
    return words[0][0] if words else "-"
