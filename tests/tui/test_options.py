"""How a person wants the screen."""

from __future__ import annotations

import pytest

from tour.errors import UsageError
from tour.tui.options import options


@pytest.mark.parametrize(
    ("env", "theme"),
    [
        ({}, "dark"),
        ({"NO_COLOR": "1"}, "mono"),
        ({"NO_COLOR": ""}, "dark"),
        ({"CLICOLOR": "0"}, "mono"),
        ({"TERM": "vt100"}, "mono"),
        ({"VHOST_TOUR_THEME": "light"}, "light"),
        ({"VHOST_TOUR_THEME": "light", "NO_COLOR": "1"}, "light"),
    ],
)
def test_the_theme_from_the_environment(env: dict[str, str], theme: str) -> None:
    assert options(glyphs="ascii", env=env).theme == theme


def test_a_flag_outweighs_the_environment() -> None:
    chosen = options("contrast", "unicode", True, {"NO_COLOR": "1", "TEXTUAL_ANIMATIONS": "none"})
    assert (chosen.theme, chosen.glyphs, chosen.motion) == ("contrast", "unicode", True)


@pytest.mark.parametrize(("value", "motion"), [("none", False), ("basic", True), ("full", True)])
def test_animations_of_the_environment(value: str, motion: bool) -> None:
    assert options(glyphs="ascii", env={"TEXTUAL_ANIMATIONS": value}).motion is motion


def test_an_unknown_theme_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="purple") as caught:
        options("purple", "ascii", env={})
    assert "contrast" in caught.value.why
