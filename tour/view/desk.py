"""An exercise on the screen: what its check says, and the learner's own accesses to the ring, step by step."""

from __future__ import annotations

import msgspec

from tour.i18n import Lang, t
from tour.lesson.moment import Badge, Moment, TimelineView
from tour.trace.state import State
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.panels import queue
from tour.view.text import cut, wrap
from tour.view.ui import Ui

RING_ROWS = 8
WIDE = 118
TEXT_WIDE = 56


class Told(msgspec.Struct, frozen=True):
    """What one check came to: ``lines`` to read, and of the first broken one the ring after each access (``states``)
    with what was done and where (``said``); ``marked`` are fields that should be another, ``queue`` is the ring."""

    lines: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    said: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    queue: int = 0


class Desk(msgspec.Struct, frozen=True):
    """All there is to draw: the exercise's title and file, what was told, where one looks, how far one scrolled."""

    lang: Lang
    title: str
    file: str
    told: Told = Told()
    position: int = 0
    scroll: int = 0
    busy: bool = False
    ascii_only: bool = False

    def moved(self, by: int) -> Desk:
        """Some accesses on or back, never beyond the ends."""
        last = max(0, len(self.told.states) - 1)
        return msgspec.structs.replace(self, position=min(max(0, self.position + by), last))

    def scrolled(self, by: int) -> Desk:
        """The text some rows up or down."""
        return msgspec.structs.replace(self, scroll=min(max(0, self.scroll + by), max(0, len(self.told.lines) - 1)))


def compose(desk: Desk, width: int, height: int) -> Canvas:
    """The whole screen; in two columns where there is room."""
    canvas = Canvas(width, height, ascii_only=desk.ascii_only)
    whole = Area(canvas, 0, 0, width, height)
    whole.put(1, 0, cut(f"{desk.title}   {desk.file}", width - 2), "title")
    if desk.busy:
        whole.right(0, t(desk.lang, "exercise.desk_busy"), "warn", end=width - 1)
    if width >= WIDE:
        _text(whole.sub(1, 2, TEXT_WIDE, height - 4), desk)
        _ring(whole.sub(TEXT_WIDE + 3, 2, width - TEXT_WIDE - 4, height - 4), desk)
    else:
        rows = RING_ROWS + 3 if desk.told.states else 0
        _ring(whole.sub(1, 2, width - 2, rows), desk)
        _text(whole.sub(1, 2 + rows, width - 2, height - 4 - rows), desk)
    whole.put(1, height - 1, cut(t(desk.lang, "exercise.desk_keys"), width - 2), "dim")
    return canvas


def _text(area: Area, desk: Desk) -> None:
    lines = [part for line in desk.told.lines for part in (wrap(line, area.w) if line.strip() else ("",))]
    for y, line in enumerate(lines[desk.scroll : desk.scroll + area.h]):
        style = "good" if line.startswith("[x]") else "bad" if line.startswith("[ ]") else "text"
        area.put(0, y, line, style)
    if len(lines) > desk.scroll + area.h:
        area.right(area.h - 1, t(desk.lang, "exercise.desk_more"), "key")


def _ring(area: Area, desk: Desk) -> None:
    told = desk.told
    if not told.states or area.h <= 0:
        return
    state, last = told.states[desk.position], len(told.states) - 1
    where = t(desk.lang, "exercise.desk_at", at=desk.position, last=last)
    for y, text in enumerate(wrap(f"{where}   {told.said[desk.position]}", area.w)[:2]):
        area.put(0, y, text, "head")
    place = area.sub(0, 2, area.w, RING_ROWS)
    badge, line = Badge("replay"), TimelineView(desk.position, last, ())
    moment = Moment(desk.lang, "", "", ("check",), 0, "observe", state, told.states[0], badge, line)
    ring = state.rings[told.queue]
    queue.draw(place, View(moment, Ui(), wide=False), ring)
    if desk.position == last:
        mark(area.canvas, [f"{ring.name}.{field}" for field in told.marked])


def mark(canvas: Canvas, names: list[str]) -> None:
    """Put these named places between > and <."""
    for name in names:
        place = canvas.anchors.get(name)
        if place is not None:
            canvas.put(max(0, place.x - 1), place.y, ">", "bad+now")
            canvas.put(min(canvas.width - 1, place.x + place.w), place.y, "<", "bad+now")
