"""The map on a canvas: every row to the cell, at any size, in both languages, with any progress."""

from __future__ import annotations

import random

import pytest

from tests.tui.driving import FINDINGS
from tour.i18n import Lang, strings
from tour.lesson.course import Place, course
from tour.lesson.model import load
from tour.lesson.progress import Answered, LessonProgress, Progress
from tour.lesson.search import search
from tour.view.canvas import width_of
from tour.view.course_map import window
from tour.view.home import Home, compose
from tour.view.themes import THEMES
from tour.view.ui import Ui

LESSONS = {entry.id: load(entry.id) for entry in course().ready}
DONE = Progress({
    "0": LessonProgress(list(LESSONS["0"].step_ids), "", "2026-01-01", "2026-01-01"),
    "8": LessonProgress(["frame", "describe"], "entry", "2026-01-02", "", {"frame": Answered("a", "b", 3, "")}),
})  # fmt: skip
SIZES = [(80, 24), (100, 30), (118, 30), (160, 48), (200, 60)]


def home(lang: Lang = "en", **more: object) -> Home:
    given = {"progress": DONE, "resume": Place("8", 2), "cursor": "8", "step": 2, "lessons": LESSONS,
             "findings": tuple(FINDINGS)} | more  # fmt: skip
    return Home(lang, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("glyphs", ["unicode", "ascii"])
def test_every_row_is_as_wide_as_the_screen(lang: Lang, size: tuple[int, int], glyphs: str) -> None:
    canvas = compose(home(lang), Ui(glyphs=glyphs), *size)  # type: ignore[arg-type]
    assert [width_of(row) for row in canvas.text_rows()] == [size[0]] * size[1]
    if glyphs == "ascii" and lang == "en":
        assert str(canvas).isascii() or set(str(canvas)) - set(map(chr, range(128))) <= set("中文")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_what_is_on_the_map(lang: Lang, size: tuple[int, int]) -> None:
    text = str(compose(home(lang), Ui(), *size))
    title = next(entry for entry in course().entries if entry.id == "8").title.get(lang)
    assert f"8  {title}" in text and "●●....." in text
    assert LESSONS["8"].step[2].name(lang) in text and "entry" in text
    for name in ("kernel", "tun", "embedded"):
        words = (
            strings(lang)[f"doctor.name.{name}"] if size[0] > 100 else strings(lang)[f"view.home.machine_name.{name}"]
        )
        assert words in text
    assert strings(lang)["view.home.machine"] in text


def test_the_whole_course_fits_a_large_screen_and_scrolls_on_a_small_one() -> None:
    large = str(compose(home(), Ui(), 160, 48))
    assert all(entry.title.en in large for entry in course().entries)
    for entry in course().entries:
        small = str(compose(home(cursor=entry.id, step=0), Ui(), 80, 24))
        assert f"> {'[' if entry.ready else ' '}" in small and entry.title.en[:30] in small


@pytest.mark.parametrize(
    ("at", "count", "height", "top"), [(0, 31, 10, 0), (30, 31, 10, 21), (15, 31, 10, 10), (3, 5, 10, 0)]
)
def test_the_cursor_stays_in_the_window(at: int, count: int, height: int, top: int) -> None:
    assert window(at, count, height) == top and top <= at < top + height


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("query", ["kick", "描述符", "descriptor", "xyzzy", ""])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_finds_are_shown_with_what_they_lead_to(lang: Lang, query: str, size: tuple[int, int]) -> None:
    found = search(query, lang)
    for pick in range(max(1, len(found))):
        drawn = home(lang, query=query, found=found, pick=pick)
        text = str(compose(drawn, Ui(), *size))
        assert query in text
        if found:
            assert found[pick].name[:20] in text.replace("…", "")
        elif query:
            assert strings(lang)["view.home.nothing"] in text


def test_everything_that_can_be_done_can_be_clicked() -> None:
    canvas = compose(home(), Ui(), 160, 48)
    actions = {hit.action for hit in canvas.hits}
    assert {"lesson:8", "key:slash", "key:d", "key:q", "key:L"} <= actions
    assert "step:2" in {hit.action for hit in compose(home(), Ui(), 80, 24).hits}
    found = search("kick", "en")
    assert "found:0" in {hit.action for hit in compose(home(query="kick", found=found), Ui(), 80, 24).hits}


@pytest.mark.parametrize("size", [(4, 1), (10, 3), (79, 24), (80, 23)])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_too_small_a_terminal_is_told_so(size: tuple[int, int], lang: Lang) -> None:
    canvas = compose(home(lang), Ui(), *size)
    assert canvas.width == size[0] and str(canvas).strip()


def test_every_style_is_one_of_the_themes() -> None:
    dice = random.Random(3)
    for _ in range(20):
        size = dice.choice(SIZES)
        drawn = home(
            dice.choice(["en", "zh"]), cursor=dice.choice(course().entries).id, step=0,
            findings=dice.choice([None, tuple(FINDINGS)]), notice=dice.choice(["", "x" * 300]),
        )  # fmt: skip
        for row in compose(drawn, Ui(), *size).rows():
            for span in row:
                base = span.style.partition("+")[0]
                assert base == "text" or base in THEMES["dark"].colours, span.style


def test_a_lesson_that_is_planned_says_so() -> None:
    planned = next(entry for entry in course().entries if not entry.ready)
    text = str(compose(home(cursor=planned.id, step=0), Ui(), 160, 48))
    assert "This lesson is planned" in text
