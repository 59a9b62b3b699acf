"""``tour start``: the course in the terminal, or its interactive plain twin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from tour.cli.connect import prepare
from tour.cli.journey import Journey
from tour.cli.options import StartOptions
from tour.cli.output import say
from tour.errors import UsageError
from tour.i18n import t
from tour.lesson.course import Place, place

if TYPE_CHECKING:
    from tour.agent.player import Player


def start_lesson(options: StartOptions) -> int:
    """Open the course: where it was asked to, else at the first five minutes, later on the map. Raises TourError."""
    prepare(options.where)
    journey = Journey(options)
    where = place(options.lesson) if options.lesson else journey.begin()
    try:
        if options.plain or dumb():
            from tour.cli.plain import walk

            return walk(journey, where)
        if not on_terminal():
            raise UsageError(t(options.lang, "cli.not_tty", lesson=where.lesson if where else "8"))
        return show(journey, where)
    finally:
        journey.close()
        if words := journey.trouble(options.lang):
            say(words)


def on_terminal() -> bool:
    """Whether there is a terminal to draw on and to type at."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def dumb() -> bool:
    """A terminal that cannot move its cursor."""
    return os.environ.get("TERM", "") in ("dumb", "")


def show(journey: Journey, where: Place | None) -> int:
    """The screen, at ``where`` or (None) on the map; returns its exit code."""
    player = journey.player(where, journey.options.lang) if where else None
    return draw(player, journey.options, journey)


def draw(
    player: Player | None,
    options: StartOptions,
    journey: Journey | None = None,
    leaving: Callable[[], None] | None = None,
) -> int:
    """Hand the player to the screen, with the course around it or alone; returns the exit code. ``leaving`` is done
    once the screen is gone, while the agent still runs.

    The agent builds its set-up while the screen is still being imported.
    """
    try:
        if player is not None:
            player.begin()
        from tour.tui.app import run_tui
        from tour.tui.options import options as chosen

        motion = False if options.no_motion else None
        looks = chosen(options.theme, wanted_glyphs(options.glyphs), motion)
        wishes = replace(looks, lang=options.lang, level=options.level, lecture=options.lecture)
        return run_tui(player, wishes, journey, leaving)
    finally:
        if player is not None:
            player.close()


def wanted_glyphs(text: str) -> Literal["auto", "unicode", "ascii"]:
    """``--glyphs`` checked. Raises UsageError."""
    for known in get_args(Literal["auto", "unicode", "ascii"]):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise UsageError(f"There are no glyphs '{text}'.", "Choose auto, unicode or ascii.")
