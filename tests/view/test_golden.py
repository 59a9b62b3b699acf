"""The screen as text, compared with kept drawings. ``TOUR_GOLDEN=write`` makes them anew:
look at the difference before keeping it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.view import control
from tests.view.story import moment
from tour.i18n import Lang
from tour.lesson.moment import Badge, Moment
from tour.view.screen import compose
from tour.view.ui import Ui

FOLDER = Path(__file__).parent / "golden"


def looking_back() -> Moment:
    found = moment("kick", "observe")
    back = replace(found.timeline, position=found.timeline.position - 4)
    return replace(found, badge=Badge("back"), timeline=back, forked_from="8:publish", varies=())


def broken(lang: Lang) -> Moment:
    found = moment("publish", "observe", lang)
    tx = replace(found.state.tx, broken="head is outside the descriptor table")
    return replace(found, state=replace(found.state, rings=(found.state.rx, tx)))


DRAWINGS: dict[str, tuple[Moment, Ui, int, int]] = {
    "publish_predict_80_en": (moment("publish", "predict"), Ui(), 80, 24),
    "publish_predict_80_zh": (moment("publish", "predict", "zh", struck=True), Ui(), 80, 24),
    "publish_explain_80_en": (moment("publish", "explain"), Ui(), 80, 24),
    "publish_observe_160_en": (moment("publish", "observe"), Ui(), 160, 48),
    "device_explain_160_zh": (moment("device", "explain", "zh"), Ui(), 160, 48),
    "device_observe_160_embedded": (moment("device", "observe", device="embedded"), Ui(spotlight="arp.tpa"), 160, 48),
    "kick_back_120_en": (looking_back(), Ui(), 120, 40),
    "wrap_small_ring_ascii": (
        moment("publish", "observe", num=2, base=65535, device="embedded"), Ui(glyphs="ascii"), 80, 24
    ),
    "broken_80_zh": (broken("zh"), Ui(), 80, 24),
    "control_nothing_80_en": (control.moment("open", "predict", asked=True), Ui(), 80, 24),
    "control_own_80_zh": (control.moment("own", lang="zh", device="embedded"), Ui(), 80, 24),
    "control_own_160_en": (control.moment("own", release="6.12.3"), Ui(), 160, 48),
    "control_refused_80_en": (control.moment("refused"), Ui(), 80, 24),
    "control_features_80_en": (control.moment("features", show="features"), Ui(), 80, 24),
    "control_features_160_zh": (control.moment("features", lang="zh", show="features"), Ui(), 160, 48),
    "control_map_80_zh": (control.moment("map", lang="zh", show="memory"), Ui(), 80, 24),
    "control_table_160_en": (control.moment("table", show="memory"), Ui(), 160, 48),
    "control_bells_80_ascii": (control.moment("bells"), Ui(glyphs="ascii"), 80, 24),
    "control_given_120_en": (control.moment("given"), Ui(), 120, 40),
    "control_given_160_zh": (control.moment("given", lang="zh"), Ui(), 160, 48),
    "control_attach_160_en": (control.moment("attach"), Ui(), 160, 48),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_screen_is_drawn_as_kept(name: str) -> None:
    shown, ui, width, height = DRAWINGS[name]
    drawn = str(compose(shown, ui, width, height))
    path = FOLDER / f"{name}.txt"
    if os.environ.get("TOUR_GOLDEN") == "write":
        path.write_text(drawn, "utf-8")
    assert drawn == path.read_text("utf-8")


@pytest.mark.parametrize("name", ["wrap_small_ring_ascii", "control_bells_80_ascii"])
def test_ascii_drawing_has_no_other_glyph(name: str) -> None:
    shown, ui, width, height = DRAWINGS[name]
    assert str(compose(shown, ui, width, height)).isascii()


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_glyph_has_an_emoji_form(name: str) -> None:
    drawn = str(compose(*DRAWINGS[name]))
    # Arrows and symbols that Unicode's emoji-variation-sequences.txt lists in the ranges we could draw from.
    listed = "↔↕↖↗↘↙↩↪⌚⌛⏏▪▫▶◀◻◼☀☁☎☑☝☺♀♂♠♣♥♦✂✈✉✏✒✔✖✳✴❄❇❌❓❗❤➕➖➗➡⤴⤵⬅⬆⬇⬛⬜⭐⭕"
    assert not set(listed) & set(drawn)
