"""The picture is valid XML, carries all the text, and keeps Chinese on the grid."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.view.story import moment
from tour.view.canvas import Canvas
from tour.view.screen import compose
from tour.view.svg import CELL_W, PAD, svg
from tour.view.themes import THEMES
from tour.view.ui import Ui

NS = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_standalone_picture_with_a_name(theme: str, lang: str) -> None:
    canvas = compose(moment(lang=lang), Ui(), 160, 48)  # type: ignore[arg-type]
    root = ET.fromstring(svg(canvas, THEMES[theme], "Lesson <8> & more"))
    assert root.get("role") == "img"
    assert root.findtext(f"{NS}title") == "Lesson <8> & more"
    assert root.findtext(f"{NS}desc")
    drawn = "".join(text.text or "" for text in root.iter(f"{NS}text"))
    assert "avail.idx" in drawn


def test_chinese_and_latin_stand_in_their_cells() -> None:
    canvas = Canvas(12, 1)
    canvas.put(0, 0, "环ab环c")
    root = ET.fromstring(svg(canvas, THEMES["dark"], "t"))
    placed = {text.text: float(text.get("x", "0")) for text in root.iter(f"{NS}text")}
    assert placed["ab"] == pytest.approx(PAD + 2 * CELL_W, abs=0.1)
    assert placed["c"] == pytest.approx(PAD + 6 * CELL_W, abs=0.1)


def test_control_characters_never_reach_the_picture() -> None:
    canvas = Canvas(12, 1)
    canvas.put(0, 0, "a\x1b\x00b<&>")
    ET.fromstring(svg(canvas, THEMES["dark"], "t"))
