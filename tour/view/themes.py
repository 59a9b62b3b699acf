"""Colours as plain data: what each style name looks like in the dark, light, contrast and mono theme.

A style is a base name, optionally with ``+now`` (changed by the last event), ``+step`` (changed in this step),
``+off`` (no longer of interest) or ``+spot`` (cross-highlighted). Colour is never the only sign: letters and
words say the same. Every look has at least 4.5:1 contrast (7:1 in the contrast theme); a test computes it.
"""

from __future__ import annotations

from functools import cache

import msgspec

MODIFIERS = ("", "+now", "+step", "+off", "+spot")
BASES = (
    "text", "dim", "frame", "title", "head", "control", "driver", "device", "network", "good", "bad", "warn",
    "key", "tab", "live", "replay", "back", "guess", "code", "turn",
)  # fmt: skip
ALIKE = {"observer": "device", "tour": "dim"}


class Look(msgspec.Struct, frozen=True):
    """How a run of cells looks; colours as ``#rrggbb``, empty for the terminal's own."""

    fg: str = ""
    bg: str = ""
    bold: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False
    italic: bool = False


class Theme(msgspec.Struct, frozen=True):
    """A named set of colours: ``colours`` by base name, the background, and the two grounds of highlights."""

    name: str
    fg: str
    bg: str
    raised: str
    spot: str
    colours: dict[str, str]
    mono: bool = False

    def look(self, style: str) -> Look:
        """What ``style`` looks like; an unknown base looks like text."""
        return _look(self.name, style)


DARK = Theme(
    "dark", "#d7dde6", "#10141b", "#232c3a", "#4a3d12",
    {
        "dim": "#8e9aab", "frame": "#73849b", "title": "#ffffff", "head": "#a9b6c8", "control": "#c9a6ff",
        "driver": "#5fd0ff", "device": "#ffb35c", "network": "#c3ccd8", "good": "#86e09b", "bad": "#ff8f8f",
        "warn": "#ffd866", "key": "#ffffff", "tab": "#a9b6c8", "live": "#86e09b", "replay": "#8fb7ff",
        "back": "#ffd866", "guess": "#ffd866", "code": "#e8e2c8", "turn": "#ffffff",
    },
)  # fmt: skip
LIGHT = Theme(
    "light", "#1f2733", "#fbfbf8", "#e6eaf0", "#ffe9a3",
    {
        "dim": "#5d6877", "frame": "#68747f", "title": "#000000", "head": "#46525f", "control": "#6b2fb3",
        "driver": "#00588a", "device": "#8f4100", "network": "#3f4a57", "good": "#1b6b32", "bad": "#b3202c",
        "warn": "#7a5200", "key": "#000000", "tab": "#46525f", "live": "#1b6b32", "replay": "#1d4ea8",
        "back": "#7a5200", "guess": "#7a5200", "code": "#3b3320", "turn": "#000000",
    },
)  # fmt: skip
CONTRAST = Theme(
    "contrast", "#ffffff", "#000000", "#2a2a2a", "#3d3200",
    {
        "dim": "#d0d0d0", "frame": "#b0b0b0", "title": "#ffffff", "head": "#ffffff", "control": "#e0c2ff",
        "driver": "#7fe0ff", "device": "#ffc27a", "network": "#ffffff", "good": "#9dffb0", "bad": "#ffb3b3",
        "warn": "#ffee80", "key": "#ffffff", "tab": "#ffffff", "live": "#9dffb0", "replay": "#b8d2ff",
        "back": "#ffee80", "guess": "#ffee80", "code": "#ffffff", "turn": "#ffffff",
    },
)  # fmt: skip
MONO = Theme("mono", "", "", "", "", {}, mono=True)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST, MONO)}

_BOLD = frozenset({"title", "head", "live", "replay", "back", "key", "turn"})


@cache
def _look(name: str, style: str) -> Look:
    theme = THEMES[name]
    base, _, modifier = style.partition("+")
    return _mono(base, modifier) if theme.mono else _coloured(theme, ALIKE.get(base, base), modifier)


def _coloured(theme: Theme, base: str, modifier: str) -> Look:
    fg = theme.colours.get(base, theme.fg)
    bold = base in _BOLD
    if base == "frame":
        return Look(fg, theme.bg)
    if modifier == "now" or base == "turn":
        return Look(theme.bg, fg, bold=True)
    if modifier == "step":
        return Look(fg, theme.raised, bold=True)
    if modifier == "spot":
        return Look(theme.fg, theme.spot, bold=True, underline=True)
    if modifier == "off":
        return Look(theme.colours["dim"], theme.bg, strike=base == "bad")
    return Look(fg, theme.bg, bold=bold)


def _mono(base: str, modifier: str) -> Look:
    if modifier == "now" or base == "turn":
        return Look(bold=True, reverse=True)
    if modifier == "spot":
        return Look(reverse=True, underline=True)
    if modifier == "step":
        return Look(bold=True, underline=True)
    if modifier == "off":
        return Look(strike=base == "bad")
    return Look(bold=base in _BOLD)
