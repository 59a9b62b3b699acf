"""``tour start``: the course in the terminal, or its interactive plain twin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import msgspec

from tour.agent.player import Player
from tour.cli.connect import Where, connector
from tour.cli.output import say
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.model import load

FIRST = "0"


class StartOptions(msgspec.Struct, frozen=True):
    """What ``tour start`` was asked for; ``theme`` '' is chosen from the environment."""

    lesson: str
    where: Where
    lang: Lang
    plain: bool = False
    glyphs: str = "auto"
    theme: str = ""
    no_motion: bool = False


def start_lesson(options: StartOptions) -> int:
    """Open the lesson (the first five minutes without one). Raises TourError."""
    lesson = load(options.lesson or FIRST)
    if options.plain or dumb():
        from tour.cli.plain import talk

        return talk(lesson, options)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(t(options.lang, "cli.not_tty", lesson=lesson.id))
    connect = connector(options.where, lesson, options.lang, say)
    return show(Player(lesson, options.lang, connect, _no_loop_yet, options.where.device), options)


def dumb() -> bool:
    """A terminal that cannot move its cursor."""
    return os.environ.get("TERM", "") in ("dumb", "")


def _no_loop_yet(call: Callable[[], None]) -> None:
    """Stands in until the app brings its own loop."""
    raise RuntimeError("an event came before the screen was there")


def show(player: Player, options: StartOptions) -> int:
    """Hand the player to the screen; returns its exit code."""
    from tour.tui.run import TuiOptions, run_tui

    return run_tui(player, TuiOptions(options.glyphs, options.theme, not options.no_motion))
