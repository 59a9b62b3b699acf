"""Where we look in the run: position, the steps so far, a line to click on. Nothing of the future while asked."""

from __future__ import annotations

from tour.view.area import Area, View
from tour.view.canvas import width_of

SHORTEST = 12


def draw(area: Area, view: View) -> None:
    """One row: 'event 57, live edge', step names where there is room, the line."""
    if view.moment.notice:
        area.put(1, 0, f"! {view.moment.notice}", "warn")
        return
    at = view.moment.timeline
    edge = "timeline.edge" if at.at_edge and view.moment.badge.kind != "replay" else "timeline.furthest"
    where = view.tr(edge if at.at_edge else "timeline.back", n=_number(view), length=at.length)
    x = area.put(1, 0, where, "back" if not at.at_edge else "dim") + (3 if view.wide else 2)
    marks = [mark for mark in at.marks if mark[0] <= at.position or not view.secret]
    if view.wide:
        x = _names(area, x, view, marks)
    _line(area, x, area.w - 4 - x, view, marks)


def _number(view: View) -> int:
    """Number of the event that is shown: the last one with a sentence, as the lane counts them."""
    last = view.state.last
    return last.seq + 1 if last is not None else 0


def _names(area: Area, x: int, view: View, marks: list[tuple[int, str]]) -> int:
    room = area.w - x - 30
    shown: list[tuple[int, str]] = []
    for position, step in reversed(marks):
        room -= width_of(view.moment.title_of(step)) + 2
        if room < 0:
            break
        shown.insert(0, (position, step))
    for position, step in shown:
        here = step == view.moment.step
        end = area.put(x, 0, view.moment.title_of(step), "key" if here else "dim")
        area.hit(f"seek:{position}", x, 0, end - x)
        x = end + 2
    return x


def _line(area: Area, x: int, w: int, view: View, marks: list[tuple[int, str]]) -> None:
    if w < SHORTEST:
        return
    at = view.moment.timeline
    length = max(1, at.length if not view.secret else at.position)
    area.put(x, 0, "─" * w, "frame")
    for column in range(w):
        area.hit(f"seek:{round(column * length / (w - 1))}", x + column, 0, 1)
    for position, _ in marks:
        area.put(x + round(position * (w - 1) / length), 0, "┼", "dim")
    area.put(x + min(w - 1, round(at.position * (w - 1) / length)), 0, "●", "key")
    area.anchor("now", x + min(w - 1, round(at.position * (w - 1) / length)), 0)
