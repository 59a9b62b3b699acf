"""The map of the course, part by part, and what a search found; both scroll with their cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tour.lesson.course import Entry, Part, course
from tour.lesson.model import Lesson
from tour.lesson.progress import LessonProgress
from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.text import cut, pad

if TYPE_CHECKING:
    from tour.view.home import Home


def draw(area: Area, home: Home) -> None:
    """The map, or what was found while one searches."""
    if home.query:
        _finds(area, home)
    else:
        _map(area, home)


def _map(area: Area, home: Home) -> None:
    """Parts and lessons, as many as fit around the cursor."""
    rows: list[Part | Entry | None] = []
    for part in course().part:
        rows += [part, *part.lesson]
    if len(rows) + len(course().part) <= area.h:
        rows = _aired(rows)
    at = next(index for index, row in enumerate(rows) if isinstance(row, Entry) and row.id == home.cursor)
    top = window(at, len(rows), area.h)
    for y, row in enumerate(rows[top : top + area.h]):
        if isinstance(row, Part):
            area.put(1, y, cut(row.title.get(home.lang), area.w - 2), "head")
        elif row is not None:
            _row(area, y, home, row)
    _more(area, top, len(rows))


def _aired(rows: list[Part | Entry | None]) -> list[Part | Entry | None]:
    """An empty row above every part but the first."""
    aired: list[Part | Entry | None] = []
    for row in rows:
        aired += [None, row] if isinstance(row, Part) and aired else [row]
    return aired


def window(at: int, count: int, height: int) -> int:
    """The first of ``height`` rows shown of ``count``, so that row ``at`` stands in the middle where it can."""
    return max(0, min(at - height // 2, count - height))


def _more(area: Area, top: int, count: int) -> None:
    """That there is more above or below."""
    if top:
        area.right(0, "↑ ", "dim")
    if top + area.h < count:
        area.right(area.h - 1, "↓ ", "dim")


def _row(area: Area, y: int, home: Home, entry: Entry) -> None:
    """One lesson: mark, number, title, steps done, minutes."""
    here, done = entry.id == home.cursor, home.done(entry.id)
    style = "turn" if here else "text" if entry.ready else "dim"
    lesson = home.lessons.get(entry.id)
    mark = " - " if not entry.ready else "[x]" if done.completed else "[ ]"
    tail = _tail(home, entry, lesson)
    room = area.w - 14 - width_of(tail)
    title = pad(entry.title.get(home.lang), room)
    area.put(1, y, f"{'>' if here else ' '} {mark} {entry.id:>2}  {title}", style)
    if lesson is not None and not done.completed and done.steps:
        area.put(area.w - 4 - width_of(tail), y, tail, "good+now" if here else "good")
    else:
        area.put(area.w - 4 - width_of(tail), y, tail, style if here else "dim")
    area.hit(f"lesson:{entry.id}", 1, y, area.w - 2)


def _tail(home: Home, entry: Entry, lesson: Lesson | None) -> str:
    """What stands at the right of a row: how far, and how long it takes."""
    if not entry.ready:
        return home.tr("planned")
    if lesson is None:
        return ""
    done = home.done(entry.id)
    minutes = pad_left(home.tr("minutes", n=lesson.minutes), 8)
    return f"{'' if done.completed or not done.steps else dots(lesson, done)} {minutes}"


def pad_left(text: str, room: int) -> str:
    """Blanks before ``text``."""
    return " " * (room - width_of(text)) + text


def dots(lesson: Lesson, done: LessonProgress) -> str:
    """One mark a step: done or not."""
    return "".join("●" if step in done.steps else "." for step in lesson.step_ids)


def _finds(area: Area, home: Home) -> None:
    if not home.found:
        area.put(1, 0, home.tr("nothing"), "dim")
    top = window(home.pick, len(home.found), area.h)
    for y, one in enumerate(home.found[top : top + area.h]):
        here = top + y == home.pick
        style = "turn" if here else "text" if one.place else "dim"
        head = f"{'>' if here else ' '} {pad(home.tr(f'kind.{one.kind}'), 6)}  {pad(one.name, 24)}  "
        area.put(1, y, head + pad(one.words, area.w - 2 - width_of(head)), style)
        area.hit(f"found:{top + y}", 1, y, area.w - 2)
    _more(area, top, len(home.found))
