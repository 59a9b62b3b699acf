"""While a prediction is open nothing on the screen may answer it; afterwards all of it is shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.view import control
from tests.view.story import moment
from tour.i18n import Lang
from tour.lesson.moment import Moment, Phase, VaryView
from tour.view.screen import compose
from tour.view.ui import PANELS, Ui

SECRETS = ("SECRET-LINE", "SECRET-NEXT", "SECRET-CHECK", "SECRET-EXPR", "SECRET-REF", "SECRET-MORE",
           "SECRET-VARY", "SECRET-LATER")  # fmt: skip
SIZES = ((80, 24), (100, 30), (120, 40), (160, 48), (200, 60))


def loaded(phase: Phase, lang: Lang, *, struck: bool = False) -> Moment:
    """A moment that carries every answer a careless player could leave in it."""
    plain = moment("publish", phase, lang, struck=struck)
    check = replace(plain.checks[0], text="SECRET-CHECK", expr="SECRET-EXPR", ok=False, actual="1")
    return replace(
        plain,
        next_code="SECRET-LINE" if phase != "orient" else "",
        next_text="SECRET-NEXT",
        checks=(check,),
        refs=("SECRET-REF",),
        more="SECRET-MORE",
        varies=(VaryView("x", "SECRET-VARY", "", True),),
        timeline=replace(plain.timeline, marks=(*plain.timeline.marks, (plain.timeline.position + 5, "SECRET-LATER"))),
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("phase", ["orient", "predict"])
@pytest.mark.parametrize("struck", [False, True])
def test_nothing_gives_the_answer_away(phase: Phase, size: tuple[int, int], lang: Lang, struck: bool) -> None:
    for panel in ("", *PANELS):
        drawn = str(compose(loaded(phase, lang, struck=struck), Ui(panel=panel, more=True), *size))
        assert not [secret for secret in SECRETS if secret in drawn], panel
        assert "idx 1" not in drawn


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_afterwards_it_is_shown(size: tuple[int, int]) -> None:
    seen = ""
    for phase in ("explain", "check", "vary"):
        seen += str(compose(loaded(phase, "en"), Ui(), *size))  # type: ignore[arg-type]
    assert {"SECRET-LINE", "SECRET-NEXT", "SECRET-CHECK", "SECRET-REF", "SECRET-VARY"} <= {
        secret for secret in SECRETS if secret in seen
    }


def test_the_panel_a_step_will_change_is_no_hint() -> None:
    asked = moment("publish", "predict", show="memory")
    assert "[TX]" in str(compose(asked, Ui(), 80, 24))
    assert "[memory]" in str(compose(moment("publish", "observe", show="memory"), Ui(), 80, 24))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=str)
@pytest.mark.parametrize("stage", ["open", "features", "table", "given", "attach"])
@pytest.mark.parametrize("phase", ["orient", "predict"])
def test_before_any_ring_runs_the_picture_is_the_same_whatever_the_step_will_show(
    phase: Phase, stage: str, size: tuple[int, int], lang: Lang
) -> None:
    """Which panel a step brings to the front is told with its answer, not before."""
    drawn = {
        str(compose(control.moment(stage, phase, lang, show=show, asked=True), Ui(), *size))
        for show in ("vhost", "features", "memory", "syscalls", "checks")
    }
    assert len(drawn) == 1


def test_a_struck_choice_is_marked_in_words() -> None:
    drawn = str(compose(moment("publish", "predict", struck=True), Ui(), 80, 24))
    assert "3 used.idx (no)" in drawn


def test_a_wrong_answer_is_met_with_its_refutation() -> None:
    drawn = str(compose(moment("publish", "observe", struck=True), Ui(), 80, 24))
    assert "right, try 2" in drawn
    assert "The device never writes into the descriptor table." in drawn
