"""What can be found in the course: lessons by title, steps by id or title, terms of the glossary; in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec

from tour.i18n import Lang
from tour.lesson.course import Place, course
from tour.lesson.glossary import Term, terms
from tour.lesson.model import Lesson, load

MOST = 50
"""Finds beyond this number are left out: a longer list is not read."""


class Found(msgspec.Struct, frozen=True):
    """One find: where it leads (None for a term that no lesson uses yet, or a planned lesson), its name, and words."""

    kind: Literal["lesson", "step", "term"]
    place: Place | None
    name: str
    words: str


def search(query: str, lang: Lang) -> tuple[Found, ...]:
    """Everything that contains each word of ``query``, told in ``lang``: lessons, then steps, then terms."""
    wanted = query.casefold().split()
    if not wanted:
        return ()
    found = (one for text, one in _everything(lang) if all(word in text for word in wanted))
    return tuple(one for one, _ in zip(found, range(MOST), strict=False))


@cache
def _everything(lang: Lang) -> tuple[tuple[str, Found], ...]:
    """What is looked into, in small letters, and what it finds."""
    return tuple([*_lessons(lang), *_steps(lang), *_terms(lang)])


def _lessons(lang: Lang) -> Iterator[tuple[str, Found]]:
    for entry in course().entries:
        text = f"{entry.id} {entry.title.en} {entry.title.zh} {entry.slug}".casefold()
        yield text, Found("lesson", Place(entry.id) if entry.ready else None, entry.id, entry.title.get(lang))


def _steps(lang: Lang) -> Iterator[tuple[str, Found]]:
    for lesson in _ready():
        for index, step in enumerate(lesson.step):
            titles = f"{step.title.en} {step.title.zh}" if step.title else ""
            text = f"{lesson.id}:{step.id} {step.verb} {titles}".casefold()
            words = f"{lesson.title.get(lang)}: {step.name(lang)}"
            yield text, Found("step", Place(lesson.id, index), f"{lesson.id}:{step.id}", words)


def _terms(lang: Lang) -> Iterator[tuple[str, Found]]:
    for term in terms().values():
        word, other = (term.en, term.zh) if lang == "en" else (term.zh, term.en)
        name = word if other in word else f"{word} ({other})"
        yield f"{term.en} {term.zh}".casefold(), Found("term", _first_use(term), name, term.meaning.get(lang))


def _first_use(term: Term) -> Place | None:
    """The first step whose English text speaks of the term."""
    word = term.en.casefold()
    for lesson in _ready():
        for index, step in enumerate(lesson.step_ids):
            text = lesson.text("en", step)
            if word in f"{text.orient} {text.explain} {text.more}".casefold():
                return Place(lesson.id, index)
    return None


def _ready() -> list[Lesson]:
    return [load(entry.id) for entry in course().ready]
