"""How a person wants the screen, from flags and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.hands_on import Level
from tour.tui.glyphs import Glyphs, Wanted, choose
from tour.view.themes import THEMES


@dataclass(frozen=True)
class Options:
    """``theme`` is a name of ``tour.view.themes``; ``motion`` whether things are seen on their way; ``glyphs``
    what the lines are drawn with; ``lang`` the language to begin in where no lesson says it; ``level`` how much one
    does by hand; ``lecture`` whether a room looks on."""

    theme: str = "dark"
    glyphs: Glyphs = "unicode"
    motion: bool = True
    lang: Lang = "en"
    level: Level = "watch"
    lecture: bool = False


def options(
    theme: str = "", glyphs: Wanted = "auto", motion: bool | None = None, env: Mapping[str, str] = os.environ
) -> Options:
    """Options from flags (empty or None: not given), then the environment.

    NO_COLOR (any value but empty) or CLICOLOR=0 means the theme without colours unless one is named;
    TEXTUAL_ANIMATIONS=none means no motion. May ask the terminal (``glyphs.choose``), so call it before the screen is
    taken. Raises UsageError for a theme that does not exist.
    """
    theme = theme or env.get("VHOST_TOUR_THEME", "") or ("mono" if _colourless(env) else "dark")
    if theme not in THEMES:
        raise UsageError(f"There is no theme {theme!r}.", f"There are: {', '.join(THEMES)}.", "tour start --theme dark")
    if motion is None:
        motion = env.get("TEXTUAL_ANIMATIONS", "full") != "none"
    return Options(theme, choose(glyphs, env), motion)


def _colourless(env: Mapping[str, str]) -> bool:
    return bool(env.get("NO_COLOR")) or env.get("CLICOLOR") == "0" or env.get("TERM") in ("dumb", "vt100", "vt220")
