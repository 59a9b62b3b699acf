"""Contrast after WCAG 2.1, for every style of every theme with colours; mono has none at all."""

from __future__ import annotations

import pytest

from tour.view.themes import BASES, MODIFIERS, THEMES, Look, Theme

COLOURED = [theme for theme in THEMES.values() if not theme.mono]
STYLES = [f"{base}{modifier}" for base in BASES for modifier in MODIFIERS]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(look: Look) -> float:
    light, dark = sorted((luminance(look.fg), luminance(look.bg)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_every_style_can_be_read(theme: Theme) -> None:
    least = 7.0 if theme.name == "contrast" else 4.5
    poor = {style: round(contrast(theme.look(style)), 2) for style in STYLES if contrast(theme.look(style)) < least}
    assert not poor


def test_mono_has_no_colour_and_still_tells_changes() -> None:
    looks = [THEMES["mono"].look(style) for style in STYLES]
    assert all(look.fg == look.bg == "" for look in looks)
    plain, now, step = (THEMES["mono"].look(f"driver{modifier}") for modifier in ("", "+now", "+step"))
    assert len({plain, now, step}) == 3


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_writers_differ(theme: Theme) -> None:
    assert len({theme.look(name).fg for name in ("control", "driver", "device", "network")}) == 4


def test_an_unknown_style_looks_like_text() -> None:
    assert THEMES["dark"].look("nothing") == THEMES["dark"].look("text")
