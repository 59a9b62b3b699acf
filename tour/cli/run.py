"""``tour run``: a lesson from end to end without a hand on the keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from tour.agent.player import Player
from tour.cli.connect import check_port, connector, wanted_device
from tour.cli.drive import Pump, wait_idle
from tour.cli.options import Where
from tour.cli.output import say, tell, tell_bytes
from tour.cli.teller import Teller
from tour.errors import CheckFailed, UsageError
from tour.i18n import Lang, t
from tour.lesson.model import Lesson, load
from tour.trace import events as ev
from tour.trace.export.step import FORMS
from tour.trace.store import Writer


class RunOptions(msgspec.Struct, frozen=True):
    """What ``tour run`` and ``tour record`` were asked for; ``form`` is how each step is shown as well: c, strace."""

    lesson: str
    where: Where
    lang: Lang
    json: bool = False
    quiet: bool = False
    vary: str = ""
    output: str = ""
    form: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """A run that came to its end: ``bad`` of ``total`` checks did not hold. ``where`` it ran: kernel, embedded or
    replay, on Linux ``kernel`` (a recording: there); how many ``events`` it was."""

    bad: int
    total: int
    where: str
    kernel: str
    events: int = 0


def run(options: RunOptions) -> int:
    """Run the lesson; returns 0 when every check held. Raises TourError."""
    lesson = load(options.lesson)
    outcome = play(lesson, options)
    if options.output:
        say(t(options.lang, "cli.saved", count=outcome.events, path=options.output))
    if not options.json and not options.quiet:
        if lesson.after is not None:
            tell(lesson.after.get(options.lang))
        tell(_words(outcome, options.lang) if outcome.bad else t(options.lang, "cli.finished"))
    if outcome.bad and not options.vary:
        raise CheckFailed(_words(outcome, options.lang))
    return 0


def _words(outcome: Outcome, lang: Lang) -> str:
    return t(lang, "cli.failed", count=outcome.bad, all=outcome.total)


def play(lesson: Lesson, options: RunOptions) -> Outcome:
    """Run the lesson to its end. Raises TourError."""
    connect = connector(options.where, lesson, options.lang, say)
    player = Player(lesson, options.lang, connect, wanted_device(options.where))
    pump = Pump(player)
    writer = Writer(Path(options.output)) if options.output else None
    player.on_event = _listener(player, options, writer)
    if options.form not in ("", *FORMS):
        raise UsageError(f"A step cannot be shown as '{options.form}'.", f"Choose one of {', '.join(FORMS)}.")
    teller = Teller(player, tell if not options.json and not options.quiet else lambda line: None, options.form)
    try:
        bad, total = _play(player, pump, teller, options.vary)
        outcome = Outcome(bad, total, *_ran_on(player), len(player.timeline))
    finally:
        player.close()
        if writer is not None and (kept := writer.close()) is not None:
            say(t(options.lang, "cli.kept", path=kept))
    return outcome


def _ran_on(player: Player) -> tuple[str, str]:
    hello = player.timeline.edge.hello
    assert hello is not None, "a run that came to its end said who it was"
    replayed = player.session is not None and player.session.kind == "replay"
    return "replay" if replayed else hello.ran_on, hello.kernel


def _listener(player: Player, options: RunOptions, writer: Writer | None) -> Callable[[ev.Event], None]:
    """Gives on every event of the run that was asked for, not the way to where a fork begins."""

    def listen(event: ev.Event) -> None:
        hello = player.timeline.edge.hello
        if hello is not None and (hello.variant or "") != options.vary:
            return
        if options.json:
            tell_bytes(ev.encode(event))
        if writer is not None:
            writer(event)

    return listen


def _play(player: Player, pump: Pump, teller: Teller, vary: str) -> tuple[int, int]:
    """Every step in order; returns how many checks failed, and of how many."""
    if vary and vary not in [each.id for each in player.varies()]:
        names = ", ".join(each.id for each in player.varies())
        fix = f"tour run {player.lesson.id} --plain"
        raise UsageError(f"Lesson {player.lesson.id} has no fork '{vary}'.", f"It has: {names}.", fix)
    fork = next((each for each in player.varies() if each.id == vary), None)
    if fork is not None and "skip" not in fork.set:
        player.fork(vary)
    else:
        player.open()
    say(player.busy)
    wait_idle(player, pump)
    check_port(player)
    teller.opening()
    bad = total = 0
    while not player.ended:
        if fork is not None and player.vary is None and player.step.id == fork.at:
            player.fork(vary)
            wait_idle(player, pump)
        bad += _step(player, pump, teller)
        total += len(player.step.check)
        player.next_step()
    player.finish()
    wait_idle(player, pump)
    return bad, total


def _step(player: Player, pump: Pump, teller: Teller) -> int:
    teller.step_head()
    teller.question()
    player.act()
    wait_idle(player, pump)
    teller.happened()
    teller.answer()
    teller.explain()
    return teller.checks()
