"""From one moment to the next: the pictures in between and what moves over each. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tour.i18n import t
from tour.lesson.moment import Moment, TimelineView
from tour.trace.state import State
from tour.trace.timeline import Timeline
from tour.view.motion import Travel, travels

Scene = tuple[tuple[Travel, ...], Moment]

LONGEST_WAY = 400
"""Events between two moments beyond which the way is not shown at all: that is a jump, not a step."""


def scenes(before: Moment, after: Moment, timeline: Timeline) -> Iterator[Scene]:
    """What is seen between two moments, in order; nothing when one does not lead forward to the other.

    The building of the set-up, before the first step, is no part of the film. Each scene's moment is ``after`` as
    it looked just past one event, so the last leaves only ``after`` to show.
    """
    start, end = before.timeline.position, after.timeline.position
    if before.lesson != after.lesson or not start < end <= start + LONGEST_WAY:
        return
    for position in range(start, end):
        moving = travels(timeline.events[position])
        state = timeline.at(position + 1) if moving else None
        if state is not None and state.step:
            yield moving, _past(after, state, position + 1)


def _past(after: Moment, state: State, position: int) -> Moment:
    view = after.timeline
    marks = tuple(mark for mark in view.marks if mark[0] <= position)
    length = position if view.at_edge else view.length
    return replace(
        after, phase="do", actor=state.acted or after.actor, busy=t(after.lang, "player.doing"), text="",
        prediction=None, checks=(), next_text="", notice="", state=state,
        timeline=TimelineView(position, length, marks),
    )  # fmt: skip
