"""Panels of what a lesson measures: figures and listings within their width, a guest's program with its next line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.trace.recordings import events
from tests.view.story import moment
from tour.lesson import labels
from tour.lesson.model import FigureSpec, Lesson, ListingSpec, Text
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.view.area import View
from tour.view.canvas import width_of
from tour.view.panels import figures, guest
from tour.view.panels.rows import Row
from tour.view.screen import compose
from tour.view.ui import MEASURED, Ui

SPEC = ListingSpec("copies", Text("copies", "拷贝"), [Text("who", "谁"), Text("from", "从"), Text("bytes", "字节")])


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = Lesson(
        "8", "x", Text("x", "x"), 5, [], figure=[FigureSpec("calls", Text("system calls", "系统调用"))], listing=[SPEC],
        word={"kernel": Text("the kernel", "内核")},
    )  # fmt: skip
    monkeypatch.setattr(labels, "_lesson", lambda lesson_id: lesson)


def view(*payloads: ev.AnyPayload, lang: str = "en", show: str = "figures") -> View:
    found = moment("publish", "observe", lang)  # type: ignore[arg-type]
    state = fold_all(events(*payloads), found.state)
    return View(replace(found, state=state, show=show), Ui(panel=show), wide=False)


def text(found: list[Row]) -> list[str]:
    lines = []
    for row in found:
        line = ""
        for piece in row:
            line += " " * (piece.x - width_of(line)) + piece.text
        lines.append(line.rstrip())
    return lines


def test_figures_stand_in_the_lessons_words_and_order() -> None:
    looked = view(ev.Figure("other", 2.5), ev.Figure("calls", 1200), lang="zh")
    assert text(figures.rows(looked, 40)) == ["系统调用  1 200", "other  2.5"]


def test_a_listing_has_heads_and_folds_what_does_not_fit() -> None:
    looked = view(ev.Listing("copies", [["@kernel", "guest memory, by way of the table", "54"], ["", "x", ""]]))
    lines = text(figures.rows(looked, 36))
    assert lines[0] == "copies" and lines[1].split() == ["who", "from", "bytes"]
    assert lines[2].startswith("the kernel") and "54" in lines[2] and len(lines) > 4
    assert all(width_of(line) <= 36 for line in lines)


cells = st.lists(st.lists(st.text("abc 内存字节@", max_size=30), max_size=5), max_size=6)


@given(cells, st.integers(24, 100))
def test_a_listing_of_any_shape_stays_within_the_panel(rows: list[list[str]], w: int) -> None:
    state = fold_all(events(ev.Listing("copies", rows)))
    looked = View(replace(moment("publish", "observe"), state=replace(state, lesson="8")), Ui(), wide=False)
    assert all(width_of(line) <= w for line in text(figures.rows(looked, w)))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_more_than_fits_is_shown_all_the_same(size: tuple[int, int]) -> None:
    many = [ev.Figure(f"n{n}", n) for n in range(80)]
    looked = view(*many, ev.Listing("copies", [[f"row{n}", "x", "1"] for n in range(30)]))
    drawn = str(compose(looked.moment, looked.ui, *size))
    assert "row0" in drawn and "who" in drawn, "what just changed is in sight, with its head"


PROGRAM = ev.Program(
    "kick", [ev.Instruction(0x7000, "b80100", "mov ax, 1"), ev.Instruction(0x7003, "ef", "out dx, ax")]
)


def test_the_next_instruction_is_marked() -> None:
    lines = text(guest.rows(view(PROGRAM, ev.Cpu(0x7003, {"ax": 1}, 0), show="guest"), 76))
    assert [line for line in lines if line.startswith(">")] == [lines[-1]] and "out dx, ax" in lines[-1]
    assert any("ip 0x7003" in line and "ax 0x1" in line for line in lines[:3])


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("panel", ["figures", "guest"])
def test_the_panel_comes_to_the_front_where_there_is_something_for_it(panel: str, size: tuple[int, int]) -> None:
    looked = view(PROGRAM, ev.Cpu(0x7003, {"ax": 1}, 0), ev.Figure("calls", 1200), show=panel)
    drawn = str(compose(looked.moment, looked.ui, *size))
    assert {"figures": "1 200", "guest": "out dx, ax"}[panel] in drawn
    assert panel in looked.panels


def test_lessons_that_measure_nothing_have_no_such_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "_lesson", lambda lesson_id: None)
    assert not set(View(moment("publish", "observe"), Ui(), wide=False).panels) & set(MEASURED)
