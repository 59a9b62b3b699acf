"""Cards: words and choices laid over a canvas."""

from __future__ import annotations

import pytest

from tour.tui.card import Card, Option, draw
from tour.view.canvas import Canvas

MENU = Card("menu", "Choose", ("Some words first.",), (Option("a", "One", "about one"), Option("b", "Two")), "keys")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 12)])
def test_a_card_lies_inside_and_shows_its_parts(size: tuple[int, int]) -> None:
    canvas = Canvas(*size)
    draw(MENU, canvas)
    text = str(canvas)
    assert all(words in text for words in ("Choose", "Some words first.", "1  One", "about one", "2  Two", "keys"))
    assert all(row[0] == row[-1] == " " for row in canvas.text_rows())


def test_options_are_targets_and_outside_closes() -> None:
    canvas = Canvas(80, 24)
    draw(MENU, canvas)
    row = next(y for y, text in enumerate(canvas.text_rows()) if "2  Two" in text)
    assert canvas.action_at(10, row) == "option:1"
    assert canvas.action_at(0, 0) == "card:close"
    assert canvas.action_at(40, row - 3) in ("card:stay", "option:0")


def test_the_cursor_goes_round() -> None:
    assert [MENU.moved(by).chosen for by in (0, 1, 2, -1)] == ["a", "b", "a", "b"]
    assert MENU.option(1) == "b" and MENU.option(2) == "" and MENU.option(-1) == ""


def test_long_words_scroll_to_their_end_and_no_further() -> None:
    card = Card("help", "Long", tuple(f"line {number}" for number in range(60)), foot="keys")
    for _ in range(200):
        card = card.moved(1)
    canvas = Canvas(80, 24)
    draw(card, canvas)
    assert "line 59" in str(canvas) and "line 10" not in str(canvas)


def test_ascii_terminals_get_ascii_frames() -> None:
    canvas = Canvas(80, 24, ascii_only=True)
    draw(MENU, canvas)
    assert str(canvas).isascii()
