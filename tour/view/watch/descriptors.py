"""Descriptors of the sampled window, chain by chain, the newest first."""

from __future__ import annotations

from tour.trace.events import Sample
from tour.view.area import Area
from tour.view.panels.descriptors import flags_text
from tour.view.text import cut
from tour.view.watch.distance import part
from tour.view.watch.look import Look

WIDTH = 48
NEXT, INDIRECT = 1, 4

Line = tuple[str, int, list[int], str]
"""Slot of a chain's head ('' for what follows it), index, row of the table, whose turn it is."""


def lines(sample: Sample) -> list[Line]:
    """One line a descriptor that was seen."""
    table = {row[0]: row for row in sample.desc if len(row) == 5}
    found: list[Line] = []
    seen: set[int] = set()
    for slot, head in reversed(sample.avail):
        index, where = head, str(slot)
        while index in table and index not in seen:
            seen.add(index)
            found.append((where, index, table[index], part(sample, slot)))
            where = ""
            if not table[index][3] & NEXT:
                break
            index = table[index][4]
    return found


def draw(area: Area, look: Look) -> None:
    """Column heads and lines, in as many columns as there is room for."""
    sample = look.sample
    if sample is None or not sample.desc:
        look.tell(area, "descriptors.none")
        return
    columns = max(1, area.w // WIDTH)
    rows = area.h - 1
    every = lines(sample)
    scroll = max(0, min(look.ui.scroll.get("descriptors", 0), len(every) - rows * columns))
    shown = every[scroll : scroll + rows * columns]
    for column in range(min(columns, -(-len(shown) // max(1, rows)))):
        piece = area.sub(column * (area.w // columns), 0, area.w // columns - 1, area.h)
        piece.put(0, 0, look.say("descriptors.head"), "dim")
        for y, line in enumerate(shown[column * rows : (column + 1) * rows], 1):
            _line(piece, y, look, line)


def _line(area: Area, y: int, look: Look, line: Line) -> None:
    slot, index, row, whose = line
    style = {"waiting": "driver", "work": "device", "free": "dim"}[whose]
    area.right(y, slot, "dim", end=4)
    area.put(5, y, str(index), style)
    area.put(11, y, f"{row[1]:#x}", style, limit=14)
    area.right(y, str(row[2]), style, end=32)
    flags = flags_text((row[1], row[2], row[3], row[4]), short=True)
    area.put(33, y, flags or "-", style, limit=7)
    area.put(41, y, cut(look.say(f"descriptors.{whose}"), area.w - 41), style)
