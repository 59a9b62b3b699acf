"""The home screen on one canvas: the map of the course, the lesson under the cursor, what this machine can do."""

from __future__ import annotations

import msgspec

from tour.agent.probes import Finding, have, runs_on
from tour.i18n import Lang, local, t
from tour.lesson.course import Entry, Place, course
from tour.lesson.model import Lesson
from tour.lesson.progress import LessonProgress, Progress
from tour.lesson.search import Found
from tour.view import course_map
from tour.view.area import Area
from tour.view.canvas import Canvas, width_of
from tour.view.screen import MIN_HEIGHT, MIN_WIDTH, WIDE_HEIGHT, WIDE_WIDTH
from tour.view.text import cut, pad, tr, wrap
from tour.view.ui import Ui

WIDE_MAP = 0.55
"""Share of a wide screen that the map takes."""
MACHINE = ("kernel", "tun", "embedded", "lab")
"""What is told of the machine where there is no room for all."""
MACHINE_ROWS = 10
"""Rows kept for all of it while it is not known yet."""


class Home(msgspec.Struct, frozen=True):
    """All there is to draw. ``lessons`` are those read so far, ``findings`` None while they are looked for.
    ``cursor`` is the lesson under the cursor and ``step`` where Enter would begin it; ``query`` is None unless one
    searches, ``found`` what it finds, ``pick`` the find under the cursor.
    ``wanted`` is what lessons were asked to run on (lab, ssh, a device), '' for what this machine has."""

    lang: Lang
    progress: Progress
    resume: Place
    cursor: str
    step: int = 0
    lessons: dict[str, Lesson] = {}
    findings: tuple[Finding, ...] | None = None
    query: str | None = None
    found: tuple[Found, ...] = ()
    pick: int = 0
    notice: str = ""
    wanted: str = ""

    def tr(self, key: str, **values: object) -> str:
        """A string of the home screen."""
        return tr(self.lang, f"home.{key}", **values)

    @property
    def picked(self) -> Found | None:
        """The find under the cursor while one searches."""
        return self.found[self.pick] if self.query and self.pick < len(self.found) else None

    @property
    def entry(self) -> Entry:
        """The lesson under the cursor: on the map, or the one a find leads to."""
        wanted = self.picked.place.lesson if self.picked and self.picked.place else self.cursor
        return course().entry(wanted) or course().entries[0]

    @property
    def at(self) -> int:
        """The step that Enter would begin with."""
        return self.picked.place.step if self.picked and self.picked.place else self.step

    def done(self, lesson_id: str) -> LessonProgress:
        """What was done of a lesson."""
        return self.progress.lesson(lesson_id)


def compose(home: Home, ui: Ui, width: int, height: int) -> Canvas:
    """The home screen at ``width`` x ``height`` cells: one column, from 118x30 on two; below 80x24 a sentence."""
    canvas = Canvas(width, height, ascii_only=ui.ascii_only)
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        text = tr(home.lang, "small", width=width, height=height, lesson="all")
        for y, line in enumerate(wrap(text, max(4, width))):
            canvas.put(0, y, line, "warn")
        return canvas
    _head(Area(canvas, 0, 0, width, 2), home)
    if width >= WIDE_WIDTH and height >= WIDE_HEIGHT:
        _wide(canvas, home)
    else:
        _narrow(canvas, home)
    _keys(Area(canvas, 0, height - 1, width, 1), home)
    return canvas


def _head(area: Area, home: Home) -> None:
    """Name, how much is done, language; below it what Enter does, or what is searched for."""
    end = area.put(1, 0, "vhost-tour", "title")
    ready = course().ready
    completed = sum(bool(home.done(entry.id).completed) for entry in ready)
    area.put(end + 3, 0, home.tr("done_of", done=completed, all=len(ready)), "head")
    start = area.right(0, tr(home.lang, "lang"), "dim", end=area.w - 2)
    area.hit("key:L", start, 0, 4)
    if home.query is not None:
        end = area.put(1, 1, home.tr("search"), "key")
        end = area.put(end + 1, 1, cut(home.query, area.w - end - 4), "text")
        area.put(end, 1, " ", "turn")
    elif home.notice:
        area.put(1, 1, cut(home.notice, area.w - 2), "warn")
    else:
        area.put(1, 1, cut(_enter(home), area.w - 2), "key")


def _enter(home: Home) -> str:
    """What Enter does."""
    entry = home.entry
    title = f"{entry.id} {entry.title.get(home.lang)}"
    lesson = home.lessons.get(entry.id)
    if not entry.ready:
        return home.tr("enter_planned", title=title)
    if home.at and lesson is not None:
        step = lesson.step[home.at]
        return home.tr("enter_step", title=title, n=home.at + 1, count=len(lesson.step), step=step.name(home.lang))
    return home.tr("enter_again" if home.done(entry.id).completed else "enter", title=title)


def _narrow(canvas: Canvas, home: Home) -> None:
    w, h = canvas.width, canvas.height
    detail, machine = 3, len(MACHINE)
    map_rows = h - 2 - 1 - 4 - detail - machine
    canvas.vline(0, 2, h - 3)
    canvas.vline(w - 1, 2, h - 3)
    y = _section(canvas, 0, 2, w, home.tr("found" if home.query else "map"))
    course_map.draw(Area(canvas, 1, y, w - 2, map_rows), home)
    y = _section(canvas, 0, y + map_rows, w, _about(home))
    _lesson_short(Area(canvas, 2, y, w - 4, detail), home)
    y = _section(canvas, 0, y + detail, w, home.tr("machine"))
    _machine_short(Area(canvas, 2, y, w - 4, machine), home)
    canvas.hline(0, h - 2, w)


def _wide(canvas: Canvas, home: Home) -> None:
    w, h = canvas.width, canvas.height
    split = int(w * WIDE_MAP)
    for x in (0, split, w - 1):
        canvas.vline(x, 2, h - 3)
    y = _section(canvas, 0, 2, split + 1, home.tr("found" if home.query else "map"))
    course_map.draw(Area(canvas, 1, y, split - 1, h - 2 - y), home)
    right = Area(canvas, split + 2, 0, w - split - 4, h)
    lesson = _lesson_long(home, right.w)
    machine = _machine_long(home, right.w)
    room = h - 2 - y - len(machine) - 1
    _section(canvas, split, 2, w - split, _about(home))
    _lines(right.sub(0, y, right.w, room), lesson)
    y = _section(canvas, split, y + max(2, min(room, h)), w - split, home.tr("machine"))
    _lines(right.sub(0, y, right.w, h - 2 - y), machine)
    canvas.hline(0, h - 2, w)


def _section(canvas: Canvas, x: int, y: int, w: int, title: str) -> int:
    canvas.hline(x, y, w)
    canvas.put(x + 2, y, f" {title} ", "head")
    return y + 1


Line = tuple[tuple[str, str], ...]
"""Runs of (text, style)."""
BLANK: Line = (("", "text"),)


def _lines(area: Area, lines: list[Line]) -> None:
    for y, line in enumerate(lines[: area.h]):
        x = 0
        for text, style in line:
            x = area.put(x, y, text, style)


# --- the lesson under the cursor --------------------------------------------------------------------------


def _where(home: Home, lesson: Lesson) -> str:
    """What it runs on here; nothing while that is not known."""
    if home.wanted:
        return home.tr(f"on.{home.wanted}")
    if home.findings is None:
        return ""
    return home.tr(f"on.{runs_on(home.findings, lesson.needs)}")


def _about(home: Home) -> str:
    """What is told of: a lesson, or a word that was found."""
    return home.tr("word" if home.picked is not None and home.picked.kind == "term" else "lesson")


def _told(home: Home, room: int) -> list[Line] | None:
    """A find that is a word, or leads nowhere yet, in full; None for what has a lesson to show."""
    found = home.picked
    if found is None or (found.kind != "term" and found.place is not None):
        return None
    words: list[Line] = [((line, "text"),) for line in wrap(found.words, room)]
    leads = home.tr("first_use", place=f"{found.place.lesson}:{home.at + 1}") if found.place else home.tr("no_use")
    return [((cut(found.name, room), "title"),), *words, ((leads, "dim"),)]


def _lesson_short(area: Area, home: Home) -> None:
    told = _told(home, area.w)
    if told is not None:
        _lines(area, [*told[: area.h - 1], told[-1]])
        return
    entry, lesson = home.entry, home.lessons.get(home.entry.id)
    area.put(0, 0, cut(f"{entry.id} {entry.title.get(home.lang)}", area.w), "title")
    if lesson is None:
        area.put(0, 1, home.tr("later") if not entry.ready else "", "dim")
        return
    facts = [home.tr("steps", n=len(lesson.step)), home.tr("minutes", n=lesson.minutes), _where(home, lesson)]
    area.put(0, 1, cut("   ".join(filter(None, facts)), area.w), "dim")
    x = 0
    for index, step in enumerate(lesson.step):
        done = step.id in home.done(entry.id).steps
        words = f"{'●' if done else ' '}{index + 1} {step.id}"
        if x + width_of(words) > area.w:
            break
        end = area.put(x, 2, words, "turn" if index == home.at else "good" if done else "dim")
        area.hit(f"step:{index}", x, 2, end - x)
        x = end + 1


def _lesson_long(home: Home, room: int) -> list[Line]:
    told = _told(home, room)
    if told is not None:
        return told
    entry, lesson = home.entry, home.lessons.get(home.entry.id)
    head: list[Line] = [((cut(f"{entry.id} {entry.title.get(home.lang)}", room), "title"),)]
    if lesson is None:
        return [*head, ((home.tr("later") if not entry.ready else "", "dim"),)]
    facts = [home.tr("steps", n=len(lesson.step)), home.tr("minutes", n=lesson.minutes), _where(home, lesson)]
    lines: list[Line] = [*head, ((cut("   ".join(filter(None, facts)), room), "dim"),), BLANK]
    lines += [_step_line(home, lesson, index, room) for index in range(len(lesson.step))]
    orient = lesson.text(home.lang, lesson.step[home.at].id).orient
    return [*lines, BLANK, *(((line, "text"),) for line in wrap(orient.replace("`", "").replace("**", ""), room))]


def _step_line(home: Home, lesson: Lesson, index: int, room: int) -> Line:
    """One step: mark, number, name, how the prediction went."""
    step, done = lesson.step[index], home.done(lesson.id)
    mark = "[x]" if step.id in done.steps else "[ ]"
    here = index == home.at
    answered = done.predictions.get(step.id)
    missed = answered is not None and (answered.tries > 1 or answered.chosen != answered.right)
    tail = f"  {home.tr('missed')}" if missed else ""
    name = step.id if step.name(home.lang) == step.id else f"{step.name(home.lang)} ({step.id})"
    words = pad(f"{'>' if here else ' '} {mark} {index + 1}  {name}", room - width_of(tail))
    return ((words, "turn" if here else "text" if mark == "[x]" else "dim"), (tail, "warn"))


# --- this machine -----------------------------------------------------------------------------------------


def _machine_short(area: Area, home: Home) -> None:
    if home.findings is None:
        area.put(0, 0, home.tr("looking"), "dim")
        return
    for y, name in enumerate(MACHINE):
        ok = have(home.findings, name)
        x = area.put(0, y, "[x] " if ok else "[ ] ", "good" if ok else "warn")
        x = area.put(x, y, pad(home.tr(f"machine_name.{name}"), 16), "text" if ok else "warn")
        area.put(x, y, cut(home.tr(f"machine_{'yes' if ok else 'no'}.{name}"), area.w - x), "dim")
    area.hit("key:d", 0, 0, area.w, area.h)


def _machine_long(home: Home, room: int) -> list[Line]:
    if home.findings is None:
        return [((home.tr("looking"), "dim"),), *[BLANK] * (MACHINE_ROWS - 1)]
    lines: list[Line] = []
    for one in home.findings:
        name = pad(t(home.lang, f"doctor.name.{one.name}"), 22)
        mark = "[x] " if one.ok else "[ ] "
        style = "good" if one.ok else "dim" if one.optional else "warn"
        words = (
            one.detail
            if one.ok
            else home.tr("mend", fix=local(home.lang, one.fix))
            if one.fix
            else local(home.lang, one.what)
        )
        lines.append(((mark, style), (name, "text" if one.ok else style), (cut(words, room - 26), "dim")))
    return lines


# --- keys -------------------------------------------------------------------------------------------------


def _keys(area: Area, home: Home) -> None:
    """As many as fit, each a mouse target; help and leaving are always kept."""
    keys = [("Enter", "open", "enter"), ("↑↓", "choose", "down")]
    last = [("Esc", "stop", "escape")]
    if home.query is None:
        keys += [("← →", "step", "right"), ("/", "search", "slash"), ("d", "machine", "d"), ("L", "language", "L")]
        keys += [("t", "theme", "t")]
        last = [("?", "help", "question_mark"), ("q", "quit", "q")]
    room = area.w - 1 - sum(_key_width(home, key) for key in last)
    x = 1
    for key in keys:
        if x + _key_width(home, key) <= room + 2:
            x = _key(area, x, home, key)
    for key in last:
        x = _key(area, x, home, key)


def _key_width(home: Home, key: tuple[str, str, str]) -> int:
    """Cells of a key with its words and the gap after them."""
    return width_of(key[0]) + 1 + width_of(home.tr(f"key.{key[1]}")) + 2


def _key(area: Area, x: int, home: Home, key: tuple[str, str, str]) -> int:
    end = area.put(area.put(x, 0, key[0], "key") + 1, 0, home.tr(f"key.{key[1]}"), "dim")
    area.hit(f"key:{key[2]}", x, 0, end - x)
    return end + 2
