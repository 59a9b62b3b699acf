"""Players for tests: with a recording or a local agent behind them, driven to wherever a test wants to look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tests.trace.recordings import reference
from tour.agent import client
from tour.agent.player import Connect, Player
from tour.agent.replay import ReplaySession
from tour.cli.drive import Pump
from tour.i18n import Lang
from tour.lesson import model
from tour.lesson.prediction import right_choice
from tour.trace.state import State
from tour.trace.timeline import Timeline


class Played:
    """A player and the pump that brings it what its session says. Errors stay in the player, as in a front end."""

    def __init__(self, connect: Connect, lesson: str = "8", lang: Lang = "en", device: str = "embedded") -> None:
        self.player = Player(model.load(lesson), lang, connect, device)
        self.pump = Pump(self.player)

    def settle(self) -> None:
        """Until the player waits for the learner again."""
        self.pump.until(lambda: not self.player.busy or self.player.error is not None, 20)

    def open(self, **options: Any) -> Player:
        """Build the set-up."""
        self.player.open(options.pop("step", 0), **options)
        self.settle()
        return self.player

    def to_prediction(self, step: str) -> None:
        """Act until ``step`` and stop at its question."""
        self.to(step)
        self.player.enter()

    def to(self, step: str) -> None:
        """Act until the beginning of ``step``."""
        while self.player.step.id != step:
            self.act()
            self.player.next_step()

    def act(self) -> None:
        """The present step, without a question."""
        self.player.act()
        self.settle()

    def answer(self, choice: str) -> None:
        """A choice of the prediction."""
        self.player.answer(choice)
        self.settle()

    def to_end(self) -> list[tuple[str, str]]:
        """All steps to the end; step ids with the choice that came true."""
        rights = []
        while not self.player.ended:
            self.act()
            assert self.player.error is None, self.player.error
            predict = self.player.step.predict
            right = right_choice(predict.choice, self.player.before, self.player.timeline.edge) if predict else ""
            rights.append((self.player.step.id, right))
            self.player.next_step()
        return rights


def replayed(lesson: str = "8", lang: Lang = "en") -> Played:
    """With the reference recording behind it."""
    return Played(lambda command: ReplaySession(reference(lesson)), lesson, lang)


@contextmanager
def local(lesson: str = "8") -> Iterator[Played]:
    """With an agent process of this machine behind it."""
    played = Played(client.connect_local, lesson)
    try:
        yield played
    finally:
        played.player.close()


@cache
def whole_run(vary: str = "", lesson: str = "8") -> Timeline:
    """A run from end to end on the embedded device, in a fork of the lesson's or without one."""
    with local(lesson) as played:
        if vary:
            played.player.fork(vary)
            played.settle()
        else:
            played.open()
        played.to_end()
        return played.player.timeline


WORDS = (
    "num", "desc", "avail_flags", "avail_idx", "avail_ring", "used_event", "used_idx", "used_ring", "avail_event",
    "last_avail_idx", "used_shadow", "last_used_idx", "avail_shadow", "held", "taken", "broken",
)  # fmt: skip


def words(state: State) -> dict[str, Any]:
    """Ring words and indices of a state. Not used.flags: NET_SET_BACKEND rewrites it."""
    return {f"{ring.name}.{name}": getattr(ring, name) for ring in state.rings for name in WORDS}
