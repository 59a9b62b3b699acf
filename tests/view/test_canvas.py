"""The grid: widths are cells, lines join, nothing leaves its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.view.canvas import Canvas, width_of


def test_wide_character_takes_two_cells() -> None:
    canvas = Canvas(6, 1)
    assert canvas.put(0, 0, "环a") == 3
    assert canvas.text_rows() == ["环a   "]
    assert [width_of(row) for row in canvas.text_rows()] == [6]


def test_half_of_a_wide_character_is_never_left() -> None:
    canvas = Canvas(4, 1)
    canvas.put(0, 0, "环环")
    canvas.put(1, 0, "x")
    assert canvas.text_rows() == [" x环"]
    canvas.put(2, 0, "y")
    assert canvas.text_rows() == [" xy "]


def test_a_wide_character_that_does_not_fit_is_a_blank() -> None:
    canvas = Canvas(3, 1)
    canvas.put(0, 0, "环环")
    assert canvas.text_rows() == ["环 "]


def test_lines_join() -> None:
    canvas = Canvas(5, 3)
    for x in (0, 2, 4):
        canvas.vline(x, 0, 3)
    for y in (0, 1, 2):
        canvas.hline(0, y, 5)
    assert canvas.text_rows() == ["┌─┬─┐", "├─┼─┤", "└─┴─┘"]


def test_ascii_lines_and_glyphs() -> None:
    canvas = Canvas(5, 2, ascii_only=True)
    canvas.hline(0, 0, 5)
    canvas.put(0, 1, "←●→…┼")
    assert canvas.text_rows() == ["-----", "<*>.+"]


def test_last_hit_is_on_top() -> None:
    canvas = Canvas(10, 2)
    canvas.hit("panel:rx", 0, 0, 10, 2)
    canvas.hit("choice:1", 2, 1, 3)
    assert canvas.action_at(3, 1) == "choice:1"
    assert canvas.action_at(3, 0) == "panel:rx"
    assert canvas.action_at(3, 5) == ""


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "e\u0301", "\u202e", "\ud800"])
def test_characters_without_a_cell_are_shown_as_question_marks(text: str) -> None:
    canvas = Canvas(12, 1)
    canvas.put(0, 0, text)
    row = canvas.text_rows()[0]
    assert width_of(row) == 12
    assert "?" in row


@given(st.lists(st.tuples(st.integers(-3, 24), st.integers(-1, 4), st.text(max_size=30)), max_size=20))
def test_every_row_is_exactly_as_wide_as_the_canvas(puts: list[tuple[int, int, str]]) -> None:
    canvas = Canvas(20, 3)
    for x, y, text in puts:
        canvas.put(x, y, text)
    assert all(sum(width_of(span.text) for span in row) == 20 for row in canvas.rows())
    assert all(width_of(row) == 20 for row in canvas.text_rows())
