"""A queue as the player draws it: the rows of its descriptor table, the slots of both rings, indices, doorbells."""

from __future__ import annotations

from typing import Any

from tour.trace.state import Ring
from tour.view.area import View
from tour.view.panels import descriptors, rings
from tour.view.panels import queue as panel
from tour.view.words import fault_words

ROWS = 12
SLOTS = 16
WIDTH = rings.LABEL + 4 * SLOTS + 3
"""Cells in which that many slots of one or two digits fit."""


def lit(view: View, *keys: str) -> str:
    """``now`` when one of these keys changed by the last event, ``step`` when in this step, else empty."""
    if any(key in view.state.changed for key in keys):
        return "now"
    return "step" if any(key in view.state.step_changed for key in keys) else ""


def queue(view: View, ring: Ring) -> dict[str, Any]:
    """All of one queue; ``num`` 0 when it was never placed."""
    if not ring.num:
        return {"name": ring.name.upper(), "num": 0, "none": view.tr("queue.unplaced")}
    return {
        "name": ring.name.upper(),
        "num": ring.num,
        "title": view.tr("queue.title", name=ring.name.upper(), num=ring.num),
        "broken": f"{view.tr('queue.broken')}({fault_words(ring.broken, view.lang)})" if ring.broken else "",
        "bells": [_bell(view, ring, name, text) for name, text in panel.bells(view, ring)],
        "desc": [_row(view, ring, line) for line in descriptors.lines(ring, ROWS)],
        "avail": _side(view, ring, "avail"),
        "used": _side(view, ring, "used"),
        "legend": [rings.marks_words(view, 2 * WIDTH), rings.slots_words(view, ring, 2 * WIDTH)],
    }


def _bell(view: View, ring: Ring, name: str, text: str) -> dict[str, Any]:
    key = f"{ring.name}.{name}.count"
    return {"is": name, "text": text, "lit": lit(view, key), "guess": view.guessed(key)}


def _row(view: View, ring: Ring, line: tuple[int, int, str, str]) -> list[Any]:
    """First and last descriptor, label, gpa, len, flags, who holds it, whether that is new, and whether it is lit."""
    first, last, label, holder = line
    entry = ring.desc[first]
    before = view.moment.before.rings[ring.index]
    moved = first < len(before.desc) and before is not ring and descriptors.held_before(before, first) != holder
    light = lit(view, *(f"{ring.name}.desc[{index}]" for index in range(first, min(last, first + 64) + 1)))
    if holder == "free" or entry is None:
        return [first, last, label, "", "", "", "free", moved, light]
    gpa = f"{entry[0]:#x}" if first == last else ""
    return [first, last, label, gpa, entry[1], descriptors.flags_text(entry, short=False), holder, moved, light]


def _side(view: View, ring: Ring, which: str) -> dict[str, Any]:
    """The available or the used ring: its idx, its slots, next to write and to read, the distance in words."""
    write, read, guessed = rings.ends(view, ring, which)
    shown = rings.slots(ring, WIDTH, wide=False)
    fresh = rings.live(view, ring, which)
    private = f"{ring.name}.{'last_avail_idx' if which == 'avail' else 'last_used_idx'}"
    key = f"{ring.name}.{which}.idx"
    return {
        "idx": ring.avail_idx if which == "avail" else ring.used_idx,
        "lit": lit(view, key),
        "guess": view.guessed(key),
        "partial": shown.partial,
        "slots": [_slot(view, ring, which, slot, slot in fresh) for slot in shown.shown],
        "write": write % ring.num,
        "read": read % ring.num,
        "read_lit": lit(view, private),
        "read_guess": guessed,
        "words": rings.distance(view, which, write, read, guessed),
    }


def _slot(view: View, ring: Ring, which: str, slot: int, fresh: bool) -> list[Any]:
    """Its number, the head it names (None: never written), whether it is still to be read, lit, guessed."""
    key = f"{ring.name}.{which}.ring[{slot}]"
    return [slot, rings.head_of(ring, which, slot), fresh, lit(view, key), view.guessed(key)]
