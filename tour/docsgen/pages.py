"""Which pages the site has: those written by hand, copied, and one a lesson."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tour.docsgen.api import fill_api
from tour.docsgen.article import fill_article
from tour.docsgen.commands import fill_commands
from tour.docsgen.errnos import fill_errnos
from tour.docsgen.figures import fill_figures
from tour.docsgen.glossary import fill_glossary
from tour.docsgen.hostile import fill_hostile
from tour.docsgen.lesson_page import lesson_page
from tour.docsgen.listings import fill_listings
from tour.docsgen.pictures import pictures
from tour.docsgen.player.site import write_file, write_player
from tour.docsgen.speed import fill_speed
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.course import course
from tour.lesson.model import load
from tour.trace import store

DOCS = Path(__file__).parents[2] / "docs"
ANSWERS = DOCS.parent / "tests" / "contract" / "expected-6.1.json"
"""What Linux 6.1 answered in the contract suite."""
SHARED = ("architecture.md", "errors.md")
"""Of ``docs`` itself, and only in English; the Chinese site says so."""
FILES = ("grades.schema.json", "journal.schema.json", "trace.schema.json")
"""Of ``docs`` itself, for both."""


def write_site(folder: Path) -> Iterator[Path]:
    """Write everything below ``folder``, whose old pages go: English there, Chinese in ``zh``. Yields what was written.

    Raises UsageError outside a source tree, LessonError and RecordingError.
    """
    if not DOCS.is_dir():
        raise UsageError("The site is made from a source tree.", f"{DOCS} is not there.", "git clone, then try again")
    shutil.rmtree(folder, ignore_errors=True)
    for lang in get_args(Lang):
        place = folder / "zh" if lang == "zh" else folder
        yield from _written(place, lang)
        yield from _lessons(place, lang)
    write_player(folder / "player")
    shutil.copytree(DOCS / "theme", folder / "theme", ignore=shutil.ignore_patterns("partials"))


def _written(place: Path, lang: Lang) -> Iterator[Path]:
    """The pages that are written by hand."""
    shutil.copytree(DOCS / lang, place)
    shutil.copytree(DOCS / "img", place / "img")
    for name in FILES:
        shutil.copy(DOCS / name, place / name)
    for name in SHARED:
        text = (DOCS / name).read_text("utf-8")
        (place / name).write_text(_only_english(text) if lang == "zh" else text, "utf-8")
    if lang == "en":
        shutil.copy(DOCS / "trace-format.md", place / "trace-format.md")
    fill_hostile(place / "hostile.md", lang)
    fill_speed(place / "speed.md", DOCS / "speed.json", lang)
    fill_glossary(place / "glossary.md", lang)
    fill_article(place / "article.md", DOCS / "article.toml", lang)
    fill_commands(place / "commands.md", lang)
    fill_api(place / "api.md", DOCS / "api.toml", lang)
    fill_errnos(place / "errnos.md", DOCS / "errnos.toml", ANSWERS, lang)
    for page in place.glob("*.md"):
        fill_listings(page)
        fill_figures(page, lang)
    yield from sorted(place.rglob("*.md"))


def _only_english(text: str) -> str:
    """The page with a line below its heading that says so; the English one is what a search finds."""
    heading, _, rest = text.partition("\n")
    return f"---\nsearch: {{exclude: true}}\n---\n{heading}\n\n*{t('zh', 'docsgen.only_english')}*\n{rest}"


def _lessons(place: Path, lang: Lang) -> Iterator[Path]:
    (place / "lessons").mkdir(exist_ok=True)
    for entry in course().ready:
        lesson = load(entry.id)
        recording = store.load(lesson.recording_path())
        page = place / "lessons" / f"{Path(lesson.folder).name}.md"
        drawn = pictures(lesson, recording, lang, place / "lessons" / page.stem)
        page.write_text(lesson_page(lesson, recording, lang, drawn), "utf-8")
        write_file(lesson, recording, lang, place / "lessons" / page.stem)
        yield page
