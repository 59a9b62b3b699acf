"""The course as a whole: its parts, its lessons in order, and places in them (``8``, ``8:3``, ``8:publish``)."""

from __future__ import annotations

from functools import cache

import msgspec

from tour.errors import UsageError
from tour.lesson.model import LessonError, Text, load, read_toml, root
from tour.lesson.progress import Progress

FIRST = "0"
"""The lesson a learner who has never been here begins with."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson on the map; one that is not ``ready`` is planned: its title is there, its folder is not."""

    id: str
    slug: str
    title: Text
    ready: bool


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the course."""

    id: str
    title: Text
    lesson: list[Entry]


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``course.toml``."""

    format_version: int
    part: list[Part]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All lessons in order."""
        return tuple(entry for part in self.part for entry in part.lesson)

    @property
    def ready(self) -> tuple[Entry, ...]:
        """Those that can be run."""
        return tuple(entry for entry in self.entries if entry.ready)

    def entry(self, lesson: str) -> Entry | None:
        """The lesson of that id."""
        return next((entry for entry in self.entries if entry.id == lesson), None)

    def following(self, lesson: str) -> str:
        """Id of the next lesson that can be run, empty after the last."""
        ids = [entry.id for entry in self.entries]
        after = ids.index(lesson) + 1 if lesson in ids else 0
        return next((entry.id for entry in self.entries[after:] if entry.ready), "")


class Place(msgspec.Struct, frozen=True):
    """The beginning of a step: ``step`` is its index, 0 first."""

    lesson: str
    step: int = 0


@cache
def course() -> Course:
    """The course of this installation. Raises LessonError."""
    path = root() / "course.toml"
    try:
        return msgspec.convert(read_toml(path), Course)
    except msgspec.ValidationError as error:
        raise LessonError(f"{path.name} is not a course.", str(error)) from error


def place(text: str) -> Place:
    """What ``8``, ``8:3`` (steps count from 1) or ``8:publish`` means. Raises UsageError with what there is."""
    name, colon, step = text.partition(":")
    lesson_id = name.lstrip("0") or "0"
    entry = course().entry(lesson_id)
    if entry is not None and not entry.ready:
        raise LessonError(f"Lesson {lesson_id} is planned; it is not there yet.", _ready(), "tour start 8")
    lesson = load(name)
    if not colon:
        return Place(lesson.id)
    if step in lesson.step_ids:
        return Place(lesson.id, lesson.step_ids.index(step))
    if step.isdecimal() and 1 <= int(step) <= len(lesson.step):
        return Place(lesson.id, int(step) - 1)
    fix = f"tour start {lesson.id}:{lesson.step_ids[0]}"
    raise UsageError(f"Lesson {lesson.id} has no step '{step}'.", f"It has {', '.join(lesson.step_ids)}.", fix)


def place_name(where: Place) -> str:
    """``8``, or ``8:publish`` in the middle of it: what ``place`` reads."""
    return f"{where.lesson}:{load(where.lesson).step_ids[where.step]}" if where.step else where.lesson


def resume(progress: Progress) -> Place:
    """Where to go on: in the lesson worked at last, or, when that is done, in the next one that is not."""
    last = progress.latest()
    entry = course().entry(last)
    if entry is None or not entry.ready:
        return Place(FIRST)
    if progress.lesson(last).position:
        return at_position(last, progress)
    following = course().following(last)
    while following and progress.lesson(following).completed:
        following = course().following(following)
    return at_position(following or last, progress)


def at_position(lesson_id: str, progress: Progress) -> Place:
    """Where to go on in that lesson: its position, else its beginning."""
    position = progress.lesson(lesson_id).position
    steps = load(lesson_id).step_ids if position else ()
    return Place(lesson_id, steps.index(position) if position in steps else 0)


def _ready() -> str:
    return f"Lessons that are ready: {', '.join(entry.id for entry in course().ready)}."
