"""``tour sandbox``: both hands on the ring; the screen, or lines in and lines out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tour.agent.player import Player
from tour.agent.sand_player import SandPlayer, forked
from tour.cli.connect import check_port, connector, prepare, wanted_device
from tour.cli.drive import Pump, wait_idle
from tour.cli.options import StartOptions, Where
from tour.cli.output import say, tell
from tour.cli.start import draw, dumb, on_terminal
from tour.cli.teller import Teller
from tour.errors import TourError, UsageError
from tour.i18n import Lang, t
from tour.lesson.course import place
from tour.lesson.model import load
from tour.lesson.orders import BY_NAME, FAULTS, SIDES, VERBS
from tour.lesson.sandbox import EXTRAS, breaks, teach
from tour.trace.store import Writer

LARGEST = 1024
"""Of a transmit ring that ends before the receive ring begins in guest memory (``nic.RING_AT``)."""


class SandboxOptions(msgspec.Struct, frozen=True):
    """What ``tour sandbox`` was asked for. ``at`` is the place of a lesson to go on from; ``orders`` are given one
    after the other without a question; ``extras`` names of feature bits."""

    where: Where
    lang: Lang
    plain: bool = False
    num: int = 8
    base: int = 0
    extras: tuple[str, ...] = ()
    at: str = ""
    orders: tuple[str, ...] = ()
    output: str = ""
    glyphs: str = "auto"
    theme: str = ""
    no_motion: bool = False


def sandbox(options: SandboxOptions) -> int:
    """Open it; 0 when it was left. Raises TourError."""
    prepare(options.where)
    player = _player(options, _start(options))
    writer = Writer(Path(options.output)) if options.output else None
    if writer is not None:
        player.on_event = writer
    try:
        if options.plain or options.orders or dumb():
            return _Talk(player, options).through()
        if not on_terminal():
            raise UsageError(t(options.lang, "cli.not_tty_sandbox"))
        start = StartOptions(
            "", options.where, options.lang, False, options.glyphs, options.theme, options.no_motion
        )  # fmt: skip
        return draw(player, start, leaving=lambda: _complete(player))
    finally:
        player.close()
        if writer is not None:
            kept = writer.close()
            say(t(options.lang, "sandbox.saved", path=kept or options.output))


def _complete(player: SandPlayer) -> None:
    """Left on the screen, a recording has its end too."""
    if player.error is not None:
        return
    pump = Pump(player)
    with contextlib.suppress(TourError):
        wait_idle(player, pump)
        player.finish()
        wait_idle(player, pump)


def _player(options: SandboxOptions, start: dict[str, Any]) -> SandPlayer:
    where = options.where
    if where.device == "replay":
        raise UsageError("A recording takes no orders.", "The sandbox runs live.", "tour sandbox --device embedded")
    connect = connector(where, load("8"), options.lang, say)
    return SandPlayer(options.lang, connect, wanted_device(where), start)


def _start(options: SandboxOptions) -> dict[str, Any]:
    """What the agent is to build. Raises UsageError."""
    if options.at:
        return from_lesson(options)
    num, base = options.num, options.base
    if not 0 < num <= LARGEST or num & (num - 1):
        raise UsageError(
            f"A queue cannot have {num} slots.", "Its size in the sandbox is a power of two, at most 1024."
        )
    if not 0 <= base <= 0xFFFF:
        raise UsageError(f"An index cannot be {base}.", "It has 16 bits.")
    unknown = [name for name in options.extras if name not in EXTRAS]
    if unknown:
        raise UsageError(f"There is no feature '{unknown[0]}'.", f"Choose of {', '.join(EXTRAS)}.")
    return {"num": num, "base": base, "features": sum(EXTRAS[name] for name in set(options.extras))}


def from_lesson(options: SandboxOptions) -> dict[str, Any]:
    """Run a lesson up to a step; memory and indices of that moment are where the sandbox begins."""
    where = place(options.at)
    lesson = load(where.lesson)
    player = Player(
        lesson, options.lang, connector(options.where, lesson, options.lang, say), wanted_device(options.where)
    )
    pump = Pump(player)
    try:
        player.open(where.step)
        say(player.busy)
        wait_idle(player, pump)
        return forked(player)
    finally:
        player.close()


class _Talk:
    """Lines in, lines out."""

    def __init__(self, player: SandPlayer, options: SandboxOptions) -> None:
        self.player = player
        self.options = options
        self.pump = Pump(player)
        self.teller = Teller(player, tell)

    def through(self) -> int:
        """Until q or the end of input; with orders on the command line, until the last of them."""
        player, lang = self.player, self.options.lang
        player.begin()
        say(player.busy)
        wait_idle(player, self.pump)
        check_port(player)
        self.teller.opening()
        tell(t(lang, "sandbox.opened", num=player.timeline.edge.tx.num))
        bad = 0
        for line in self._lines():
            bad += not self._line(line)
        player.finish()
        wait_idle(player, self.pump)
        return 2 if bad and self.options.orders else 0

    def _lines(self) -> Iterator[str]:
        for given in self.options.orders:
            yield from (part.strip() for part in given.split(";") if part.strip())
        while not self.options.orders:
            try:
                line = input(t(self.options.lang, "sandbox.prompt") if sys.stdin.isatty() else "").strip()
            except EOFError:
                tell()
                return
            if line in ("q", "quit"):
                return
            if line:
                yield line

    def _line(self, line: str) -> bool:
        """One line; False when it was no order."""
        lang = self.options.lang
        if self.options.orders or not sys.stdin.isatty():
            tell(f"> {line}")
        if line.split()[0] in ("help", "?"):
            self._help(help_lines(lang, *line.split()[1:2]))
            return True
        if not self.player.obey(line):
            tell(self.player.notice)
            return False
        wait_idle(self.player, self.pump)
        self.teller.happened()
        return True

    def _help(self, lines: list[str]) -> None:
        """A head and the verbs below it stand together."""
        for at, words in enumerate(lines):
            listed = words.startswith(" ")
            heads = lines[at + 1 : at + 2] and lines[at + 1].startswith(" ")
            if listed or heads:
                tell(words)
            else:
                self.teller.text(words)
            if listed and not heads:
                tell()


def help_lines(lang: Lang, word: str = "") -> list[str]:
    """All verbs, or one, or (``faults``) all faults."""
    if word in BY_NAME:
        return [teach(lang, word), t(lang, "sandbox.usage", usage=BY_NAME[word].usage)]
    if word in FAULTS:
        return [fault_line(lang, word)]
    if word == "faults":
        return [t(lang, "sandbox.faults_head"), *(fault_line(lang, name) for name in FAULTS)]
    lines = []
    for side in SIDES:
        lines.append(t(lang, "sandbox.sides", side=t(lang, f"sandbox.side.{side}")))
        lines += [f"  {verb.usage}" for verb in VERBS if verb.side == side]
    return [*lines, t(lang, "sandbox.say_more")]


def fault_line(lang: Lang, name: str) -> str:
    """A fault and what it breaks."""
    return t(lang, "sandbox.fault_line", name=name, what=breaks(lang, name))
