"""What the screen asks of a lesson (``tour.agent.player`` provides it) and of the course around it (``tour.cli``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tour.agent.player import Player
from tour.agent.probes import Finding
from tour.agent.session import Item, Session
from tour.errors import TourError
from tour.i18n import Lang
from tour.lesson.course import Place
from tour.lesson.moment import Moment
from tour.lesson.progress import Progress
from tour.trace.timeline import Timeline


class PlayerLike(Protocol):
    """A lesson being played: a state machine that never waits and starts no thread."""

    @property
    def timeline(self) -> Timeline:
        """All that happened so far."""

    def moment(self) -> Moment:
        """All there is to draw now."""

    def enter(self) -> None:
        """The next phase, or do the step's action."""

    def answer(self, choice: str) -> None:
        """Predict."""

    def back(self) -> None:
        """One visible event back; only looks."""

    def forward(self) -> None:
        """One visible event forward."""

    def seek(self, position: int) -> None:
        """Look at a position of the timeline."""

    def live(self) -> None:
        """Return to the edge."""

    def fork(self, vary: str | None) -> None:
        """Begin anew from the present position with a variant, on a new agent."""

    def restart(self) -> None:
        """A new agent at the present step."""

    def set_lang(self, lang: Lang) -> None:
        """Change the language of all words."""

    @property
    def session(self) -> Session | None:
        """The agent or the recording in its place, None when there is none."""

    @property
    def error(self) -> TourError | None:
        """What went wrong, None while all is well."""

    def listen(self, on_item: Callable[[Item], None]) -> None:
        """Hear all the agent says, on a thread of its own; starts one if there is none."""

    def hear(self, item: Item) -> None:
        """One thing the agent said."""

    def close(self) -> None:
        """End the agent, if there is one."""


class Journey(Protocol):
    """A learner's way through the course."""

    def player(self, place: Place, lang: Lang) -> Player:
        """A player of that lesson, to be begun. Raises TourError."""

    def progress(self) -> Progress:
        """How far the learner has come."""

    def trouble(self, lang: Lang) -> str:
        """What keeps progress from being kept, '' when nothing does."""

    def resume(self) -> Place:
        """Where to go on."""

    def runs_on(self) -> str:
        """What was asked for: lab, ssh, kernel, embedded or replay; '' for what this machine has."""

    def findings(self) -> list[Finding]:
        """What this machine can do; takes a moment, on any thread."""
