"""Textual's own parts (command palette, selection) in our colours, and the commands the palette offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.app import SystemCommand
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme as TextualTheme

from tour.i18n import Lang
from tour.tui.keys import Key
from tour.view.themes import Theme

CSS = "SearchIcon { display: none; }"
"""Textual's palette shows a glyph with an emoji form, two cells wide here and one there."""

_CURSOR_STYLES = ("block-cursor-text-style", "block-cursor-blurred-text-style")
_ANSI_COLOURS = (
    "ansi-background", "ansi-foreground", "border", "border-blurred", "block-cursor-foreground",
    "block-cursor-background", "input-cursor-background", "input-cursor-foreground", "input-selection-background",
    "input-selection-foreground", "scrollbar", "scrollbar-background", "block-hover-background",
)  # fmt: skip


def textual_theme(theme: Theme) -> TextualTheme:
    """The theme under which Textual draws what is not on our canvas."""
    if theme.mono:
        plain = "ansi_default"
        return TextualTheme(
            f"tour-{theme.name}", primary=plain, secondary=plain, foreground=plain, background=plain, surface=plain,
            panel=plain, boost=plain, warning=plain, error=plain, success=plain, accent=plain, ansi=True,
            variables=dict.fromkeys(_ANSI_COLOURS, plain) | dict.fromkeys(_CURSOR_STYLES, "bold reverse"),
        )  # fmt: skip
    colours = theme.colours
    return TextualTheme(
        f"tour-{theme.name}", primary=colours["driver"], secondary=colours["control"], accent=colours["device"],
        warning=colours["warn"], error=colours["bad"], success=colours["good"], foreground=theme.fg,
        background=theme.bg, surface=theme.raised, panel=theme.raised, dark=theme.name != "light",
    )  # fmt: skip


def filters(present: list[LineFilter], theme: Theme) -> list[LineFilter]:
    """The line filters to run: NO_COLOR is met by our theme without colours.

    Textual's Monochrome would turn our colours into greys of too little contrast, and fails on a segment without a
    style; NoColor takes the rest of Textual's colours away.
    """
    kept = [one for one in present if not isinstance(one, Monochrome | NoColor)]
    return [*kept, NoColor()] if theme.mono else kept


def commands(lang: Lang, keys: tuple[Key, ...], run: Callable[[str], object]) -> Iterator[SystemCommand]:
    """Every key as a command of the palette; ``run`` is given the action."""
    for key in keys:
        if key.listed:
            words = key.words(lang)
            yield SystemCommand(words[:1].upper() + words[1:], key.display, partial(run, key.action))
