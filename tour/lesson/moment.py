"""All that a front end needs to draw one moment of a lesson; frozen, complete, free of any front end.

``player.Player`` makes these; ``view`` turns them into cells; the plain twin turns them into sentences.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tour.trace.state import State

Phase = Literal["orient", "predict", "do", "observe", "explain", "check", "vary"]
PHASES: tuple[Phase, ...] = ("orient", "predict", "do", "observe", "explain", "check", "vary")
Lang = Literal["en", "zh"]
BadgeKind = Literal["starting", "kernel", "embedded", "engine", "replay", "back", "ended"]


class ChoiceView(msgspec.Struct, frozen=True):
    """One choice of a prediction. ``struck``: tried and wrong. ``right`` is None until the answer is known to
    the learner (solved or revealed)."""

    id: str
    text: str
    struck: bool = False
    chosen: bool = False
    right: bool | None = None


class PredictionView(msgspec.Struct, frozen=True):
    """The question of the present step. ``settled`` when answered or revealed; ``refutations`` are the
    sentences that meet the misconceptions behind the wrong choices the learner took."""

    question: str
    choices: tuple[ChoiceView, ...]
    settled: bool = False
    first_time: bool = False
    tries: int = 0
    refutations: tuple[str, ...] = ()


class CheckView(msgspec.Struct, frozen=True):
    """A line of the checklist; ``ok`` is None before it was looked at; ``actual`` what was found."""

    text: str
    expr: str
    ok: bool | None = None
    actual: str = ""


class VaryView(msgspec.Struct, frozen=True):
    """A fork that the learner may take at this step."""

    id: str
    title: str
    text: str
    here: bool


class Badge(msgspec.Struct, frozen=True):
    """Where the moment comes from: nowhere yet (STARTING), LIVE kernel x.y, LIVE embedded (ours), REPLAY (kernel,
    when), LOOKING BACK, or ENDED when the agent is gone; then ``into`` says what kind of run it is or was. ``host`` is
    the machine it runs on, '' for this one."""

    kind: BadgeKind
    detail: str = ""
    into: BadgeKind = "starting"
    host: str = ""


class TimelineView(msgspec.Struct, frozen=True):
    """Where we look: ``position`` of ``length`` events; marks are (position, step id), none of the future."""

    position: int
    length: int
    marks: tuple[tuple[int, str], ...]

    @property
    def at_edge(self) -> bool:
        """Whether this is the live edge (or the furthest point replayed so far)."""
        return self.position == self.length


class Moment(msgspec.Struct, frozen=True):
    """One moment of a lesson. ``steps`` are the steps' ids, ``titles`` what a person reads in their place.

    ``state`` is what to draw, ``before`` the state at the step's begin. ``text`` is the story for the phase
    (orient or explain; paragraphs of the Markdown subset), ``more`` its optional drawer, ``refs`` its sources.
    ``next_text`` says what Enter does; ``next_code`` the line that will run, empty while it would give an answer
    away. ``busy`` says what is being done, empty when paused. ``notice`` is one line for the learner.
    ``show`` is the panel the step brings to the front, one of ``view.ui.PANELS``.
    """

    lang: Lang
    lesson: str
    title: str
    steps: tuple[str, ...]
    step_index: int
    phase: Phase
    state: State
    before: State
    badge: Badge
    timeline: TimelineView
    show: str = "tx"
    actor: str = "driver"
    text: str = ""
    more: str = ""
    refs: tuple[str, ...] = ()
    prediction: PredictionView | None = None
    checks: tuple[CheckView, ...] = ()
    varies: tuple[VaryView, ...] = ()
    next_text: str = ""
    next_code: str = ""
    busy: str = ""
    notice: str = ""
    forked_from: str = ""
    ended: bool = False
    titles: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """Id of the present step."""
        return self.steps[self.step_index]

    def title_of(self, step: str) -> str:
        """What a person reads for the step of that id."""
        at = self.steps.index(step) if step in self.steps else -1
        return self.titles[at] if 0 <= at < len(self.titles) else step
