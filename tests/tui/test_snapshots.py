"""A few pictures of the whole terminal; what is on the canvas is compared cell by cell in tests/view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from tests.tui.driving import Course, Driven, ready
from tests.tui.scripted import ScriptedPlayer
from tour.i18n import Lang
from tour.lesson.course import Course as CourseMap
from tour.lesson.course import Entry, Part
from tour.lesson.model import Lesson, StepSpec, StepText, Text
from tour.lesson.search import _everything
from tour.tui.app import TourApp
from tour.tui.glyphs import Glyphs
from tour.tui.options import Options


class Compare(Protocol):
    """The snapshot plugin's fixture."""

    def __call__(
        self, app: TourApp, *, press: tuple[str, ...] = (), terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[Any]], Awaitable[None]] | None = None,
    ) -> bool: ...  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "size", "theme", "keys"),
    [
        ("en", (80, 24), "dark", ("2",)),
        ("zh", (160, 48), "dark", ("2",)),
        ("en", (80, 24), "mono", ("question_mark",)),
        ("zh", (80, 24), "light", ("f", "down")),
        ("en", (160, 48), "contrast", ("3", "left")),
    ],
    ids=["observe-en", "observe-zh-wide", "help-mono", "fork-zh-light", "looking-back-contrast"],
)
def test_picture(snap_compare: Compare, lang: Lang, size: tuple[int, int], theme: str, keys: tuple[str, ...]) -> None:
    app = TourApp(ScriptedPlayer(lang), Options(theme=theme, motion=False))
    assert snap_compare(app, press=keys, terminal_size=size)


@pytest.mark.parametrize(
    ("lang", "size", "theme", "glyphs", "keys"),
    [
        ("en", (80, 24), "dark", "unicode", ()),
        ("zh", (80, 24), "light", "unicode", ("slash", *"lesson", "down")),
        ("zh", (160, 48), "dark", "unicode", ()),
        ("en", (160, 48), "contrast", "unicode", ("d",)),
        ("en", (80, 24), "mono", "ascii", ("question_mark",)),
    ],
    ids=["map-en", "map-zh-search-light", "map-zh-wide", "map-machine-contrast", "map-help-mono-ascii"],
)
def test_picture_of_the_map(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: Lang, size: tuple[int, int],
    theme: str, glyphs: Glyphs, keys: tuple[str, ...],
) -> None:  # fmt: skip
    map_of(monkeypatch)
    trip = Course(tmp_path)
    trip.did("0", *STEPS[:6], completed="yes")
    trip.did("8", *STEPS[6:8], position="c")
    app = TourApp(None, Options(theme=theme, glyphs=glyphs, motion=False, lang=lang), trip)

    async def before(pilot: Pilot[Any]) -> None:
        driven = Driven(pilot, app)
        await driven.until(lambda: ready(driven))
        await driven.press(*keys)
        await driven.until(lambda: driven.home.lessons != {})

    assert snap_compare(app, terminal_size=size, run_before=before)


STEPS = ("u", "v", "w", "x", "y", "z", "a", "b", "c", "d")


def map_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course that no lesson's author changes: parts, titles and steps are the test's own."""
    lessons = {
        number: Lesson(number, "slug", Text(f"Lesson {number}", f"第 {number} 课"), 10, [
            StepSpec(step, "add", "tx", "driver", Text(f"step {step}", f"步骤 {step}")) for step in steps
        ], texts={lang: {step: StepText(words * 9) for step in steps} for lang, words in WORDS})
        for number, steps in (("0", STEPS[:6]), ("8", STEPS[6:]))
    }  # fmt: skip
    parts = [
        Part(name, Text(f"Part {name}", f"第 {name} 部分"), [
            Entry(str(number), "slug", Text(f"Lesson {number}", f"第 {number} 课"), str(number) in lessons)
            for number in numbers
        ])
        for name, numbers in (("one", range(3)), ("two", range(3, 13)))
    ]  # fmt: skip
    for module in (
        "tour.lesson.course",
        "tour.view.home",
        "tour.view.course_map",
        "tour.tui.home",
        "tour.lesson.search",
    ):
        monkeypatch.setattr(f"{module}.course", lambda: CourseMap(1, parts))
    for module in ("tour.lesson.course", "tour.tui.home", "tour.lesson.search"):
        monkeypatch.setattr(f"{module}.load", lessons.__getitem__)
    _everything.cache_clear()


WORDS = (("en", "What there is to see. "), ("zh", "要看的东西。"))


@pytest.fixture(autouse=True)
def _search_anew() -> Iterator[None]:
    """What a test's course has put into the search is gone after it."""
    yield
    _everything.cache_clear()
