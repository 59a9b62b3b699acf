"""The stills of a recording: what is to be seen after each of its events, as data that a browser draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tour.agent.showing import replayed
from tour.docsgen.player import panels
from tour.docsgen.player.queue import queue
from tour.i18n import Lang
from tour.lesson.model import Lesson, StepSpec
from tour.lesson.moment import Moment, TimelineView
from tour.trace import events as ev
from tour.trace.fold import fold, tells
from tour.trace.state import State
from tour.view.area import View
from tour.view.ui import Ui

NOTHING = StepSpec("", "", "tx", "")
"""What stands for a step before the first, and in a recording of no lesson."""


class Still(NamedTuple):
    """After ``position`` events: the view, and what the player draws of it."""

    position: int
    event: ev.Event | None
    view: View
    drawn: dict[str, Any]


def stills(events: tuple[ev.Event, ...], lesson: Lesson | None, lang: Lang, vary: str = "") -> Iterator[Still]:
    """One before the first event and one after each. Raises FoldError."""
    state = before = State()
    told = False
    specs = {step.id: step.within(vary) for step in lesson.step} if lesson else {}
    for position, event in enumerate((None, *events)):
        if event is not None:
            began = isinstance(event.data, ev.Step) and event.data.mark == "begin"
            before, told = (state, False) if began else (before, told or tells(event))
            state = fold(state, event)
        view = _view(lesson, specs, lang, state, before, position, told=told)
        yield Still(position, event, view, draw(view))


def _view(
    lesson: Lesson | None, specs: Mapping[str, StepSpec], lang: Lang, state: State, before: State, position: int,
    *, told: bool,
) -> View:  # fmt: skip
    """The moment as a learner sees it who plays this recording; before a step has told anything, that it is to come."""
    step = specs.get(state.step, NOTHING)
    ids = tuple(specs) or ("",)
    moment = Moment(
        lang, lesson.id if lesson else state.lesson, lesson.title.get(lang) if lesson else "", ids,
        ids.index(step.id) if step.id in ids else 0, "observe" if told or not state.step else "do", state, before,
        replayed(state.hello), TimelineView(position, position, ()), show=step.show, actor=step.actor,
    )  # fmt: skip
    return View(moment, Ui(), wide=True)


def draw(view: View) -> dict[str, Any]:
    """All panels at one moment, of what JSON has."""
    found = {
        "who": panels.people(view),
        "queues": [queue(view, ring) for ring in (view.state.tx, view.state.rx)],
        "vhost": panels.vhost(view),
        "features": panels.features(view),
        "memory": panels.memory(view),
        "packet": panels.packet(view),
        "source": panels.source(view),
        "figures": panels.figures(view),
        "plot": panels.plot(view),
        "guest": panels.guest(view),
        "checks": {check.id: [check.ok, check.actual] for check in view.state.checks},
        "running": view.running,
        "step": view.state.step,
        "ended": view.state.ended,
    }
    drawn: dict[str, Any] = msgspec.to_builtins(found)
    return drawn
