"""``tour start``: the course in the terminal, or its interactive plain twin."""

from __future__ import annotations

import os
import sys
from typing import Literal, get_args

from tour.agent.player import Player
from tour.cli.connect import connector, wanted_device
from tour.cli.options import StartOptions
from tour.cli.output import say
from tour.errors import UsageError
from tour.i18n import t
from tour.lesson.model import load

FIRST = "0"


def start_lesson(options: StartOptions) -> int:
    """Open the lesson (the first five minutes without one). Raises TourError."""
    lesson = load(options.lesson or FIRST)
    if options.plain or dumb():
        from tour.cli.plain import talk

        return talk(lesson, options)
    if not on_terminal():
        raise UsageError(t(options.lang, "cli.not_tty", lesson=lesson.id))
    following = lesson.id
    while following:
        lesson = load(following)
        connect = connector(options.where, lesson, options.lang, say)
        code, following = show(Player(lesson, options.lang, connect, wanted_device(options.where)), options)
    return code


def on_terminal() -> bool:
    """Whether there is a terminal to draw on and to type at."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def dumb() -> bool:
    """A terminal that cannot move its cursor."""
    return os.environ.get("TERM", "") in ("dumb", "")


def show(player: Player, options: StartOptions) -> tuple[int, str]:
    """Hand the player to the screen; returns its exit code and the lesson to go on with, if any.

    The agent builds its set-up while the screen is still being imported.
    """
    try:
        player.open()
        from tour.tui.app import run_tui
        from tour.tui.options import options as screen_options

        motion = False if options.no_motion else None
        return run_tui(player, screen_options(options.theme, wanted_glyphs(options.glyphs), motion))
    finally:
        player.close()


def wanted_glyphs(text: str) -> Literal["auto", "unicode", "ascii"]:
    """``--glyphs`` checked. Raises UsageError."""
    for known in get_args(Literal["auto", "unicode", "ascii"]):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise UsageError(f"There are no glyphs '{text}'.", "Choose auto, unicode or ascii.")
