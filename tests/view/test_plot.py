"""The plot panel: round axes, every point in its cell, a mark a series, nothing outside its area."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.trace.recordings import events
from tests.view.story import moment
from tour.lesson import labels
from tour.lesson.model import Lesson, Line, PlotSpec, Text
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.panels import plot
from tour.view.ui import Ui

SERIES = [Line("sleep", Text("sleeps", "睡眠")), Line("poll", Text("polls", "轮询"))]
SPEC = PlotSpec("pace", Text("pace", "步调"), Text("frames", "帧"), Text("wait", "等待"), SERIES, "xy")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = Lesson("8", "x", Text("x", "x"), 5, [], plot=[SPEC])
    monkeypatch.setattr(labels, "_lesson", lambda lesson_id: lesson)


def drawn(points: list[ev.Point], w: int = 60, h: int = 12, lang: str = "en", *, ascii_only: bool = False) -> list[str]:
    found = moment("publish", "observe", lang)  # type: ignore[arg-type]
    state = fold_all(events(*points), found.state)
    view = View(replace(found, state=state, show="plot"), Ui(panel="plot"), wide=False)
    canvas = Canvas(w, h, ascii_only=ascii_only)
    plot.draw(Area(canvas, 0, 0, w, h), view)
    return canvas.text_rows()


def test_points_lie_where_their_numbers_say() -> None:
    rows = drawn([ev.Point("pace", "sleep", 10, 1), ev.Point("pace", "poll", 1000, 100)])
    low = next(row for row in rows[1:] if "o" in row)
    high = next(row for row in rows[1:] if "x" in row)
    assert rows.index(high) < rows.index(low) and high.index("x") > low.index("o")
    assert "o sleeps" in rows[0] and "x polls" in rows[0] and "wait" in rows[0]
    assert rows[-1].split() == ["10", "20", "50", "frames", "200", "500", "1", "000"]


def test_series_that_meet_in_a_cell_show_as_several() -> None:
    rows = drawn([ev.Point("pace", "sleep", 10, 1), ev.Point("pace", "poll", 10, 1), ev.Point("pace", "poll", 99, 9)])
    assert sum(row.count(plot.SEVERAL) for row in rows) == 1


def test_a_series_without_points_has_no_name_there() -> None:
    assert "polls" not in drawn([ev.Point("pace", "sleep", 10, 1)])[0]


def test_too_few_rows_give_the_newest_points_in_words() -> None:
    text = " ".join(drawn([ev.Point("pace", "sleep", 10, 1), ev.Point("pace", "poll", 20, 2)], h=3))
    assert "polls: 20, 2" in text and "frames, wait" in text


def test_ascii_is_ascii() -> None:
    rows = drawn([ev.Point("pace", "sleep", 10, 1)], ascii_only=True)
    assert all(row.isascii() for row in rows) and any("|" in row for row in rows)


NUMBERS = st.floats(0.001, 1e9)
POINT = st.builds(ev.Point, st.just("pace"), st.sampled_from(["sleep", "poll", "other"]), NUMBERS, NUMBERS)


@given(
    st.lists(POINT, min_size=1, max_size=20), st.integers(20, 120), st.integers(1, 20), st.sampled_from(["en", "zh"])
)
def test_any_points_at_any_size(points: list[ev.Point], w: int, h: int, lang: str) -> None:
    rows = drawn(points, w, h, lang)
    assert len(rows) == h
    if h >= plot.LEAST:
        assert sum(row.count(mark) for row in rows[1:-2] for mark in plot.MARKS + plot.SEVERAL) >= 1


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.integers(2, 100), st.booleans())
def test_an_axis_holds_its_values(values: list[float], cells: int, log: bool) -> None:
    found = plot.axis(values, cells, log=log)
    assert all(0 <= found.at(value) < cells for value in values)
    ticks = found.ticks()
    assert ticks == sorted(ticks) and found.at(ticks[0]) == 0 and found.at(ticks[-1]) == cells - 1
