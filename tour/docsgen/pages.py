"""Which pages the site has: those written by hand, copied, and one a lesson."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tour.docsgen.hostile import fill_hostile
from tour.docsgen.lesson_page import lesson_page
from tour.docsgen.pictures import pictures
from tour.docsgen.speed import fill_speed
from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.course import course
from tour.lesson.model import load
from tour.trace import store

DOCS = Path(__file__).parents[2] / "docs"
SHARED = ("trace-format.md", "architecture.md", "errors.md", "trace.schema.json")
"""Of ``docs`` itself, for the English site; ``docs/zh`` has its own."""
SCHEMAS = ("grades.schema.json", "journal.schema.json")
"""Of ``docs`` itself, for both."""


def write_site(folder: Path) -> Iterator[Path]:
    """Write everything below ``folder``, whose old pages go. Yields what was written.

    Raises UsageError outside a source tree, LessonError and RecordingError.
    """
    if not DOCS.is_dir():
        raise UsageError("The site is made from a source tree.", f"{DOCS} is not there.", "git clone, then try again")
    for lang in get_args(Lang):
        place = folder / lang
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(DOCS / lang, place)
        shutil.copytree(DOCS / "img", place / "img")
        for name in (*SCHEMAS, *(SHARED if lang == "en" else ())):
            shutil.copy(DOCS / name, place / name)
        fill_hostile(place / "hostile.md", lang)
        fill_speed(place / "speed.md", DOCS / "speed.json", lang)
        yield from sorted(place.rglob("*.md"))
        yield from _lessons(place, lang)


def _lessons(place: Path, lang: Lang) -> Iterator[Path]:
    (place / "lessons").mkdir(exist_ok=True)
    for entry in course().ready:
        lesson = load(entry.id)
        recording = store.load(lesson.recording_path())
        page = place / "lessons" / f"{Path(lesson.folder).name}.md"
        drawn = pictures(lesson, recording, lang, place / "lessons" / page.stem)
        page.write_text(lesson_page(lesson, recording, lang, drawn), "utf-8")
        yield page
