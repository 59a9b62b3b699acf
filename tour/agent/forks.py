"""Forks: a new agent that goes on from a moment of the past, and what it must know for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tour.agent.protocol import ForkPoint, RingPoint
from tour.i18n import t
from tour.trace.state import Ring
from tour.trace.timeline import Timeline

if TYPE_CHECKING:
    from tour.agent.player import Player


def take(player: Player, vary_id: str | None) -> None:
    """Leave the run for the fork ``vary_id``, or begin again from the shown moment (None). Raises TourError."""
    lesson = player.lesson
    vary = next((vary for vary in lesson.vary if vary.id == vary_id), None)
    index = lesson.step_ids.index(vary.at) if vary else player.shown_step()
    fresh = redoes(player) or (vary is not None and "skip" not in vary.set)
    point = None if fresh else point_of(player, index)
    if point is None and not fresh:
        player.notice = t(player.lang, "player.fork_not_yet")
        player.changed()
        return
    numbers = {key: value for key, value in vary.set.items() if key in ("num", "base")} if vary else {}
    step = lesson.step_ids[index]
    player.open(index, fork=point, at=step if fresh else "", variant=vary.id if vary else "", **numbers)
    player.enter_fork(vary, f"{lesson.id}:{step}")


def redoes(player: Player) -> bool:
    """Whether a fork of this lesson does the steps before it anew: there is no ring yet to go on with."""
    return player.lesson.set_up != "attach" or player.lesson.again


def again(player: Player, step: int, options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Step and options with which a run opened with these is begun again at its present step."""
    if not len(player.timeline):
        return step, options
    if redoes(player):
        return player.index, {**options, "at": player.step.id}
    point = point_of(player, player.index)
    return (player.index, {**options, "fork": point, "at": ""}) if point else (step, options)


def point_of(player: Player, index: int) -> ForkPoint | None:
    """The beginning of a step, None when it has not been reached."""
    step = player.lesson.step_ids[index]
    mark = player.timeline.mark(step)
    position = mark.position if mark else None
    if position is None and index == player.index and not player.busy:
        position = len(player.timeline)
    return fork_point(player.timeline, position, f"{player.lesson.id}:{step}") if position is not None else None


def fork_point(timeline: Timeline, position: int, origin: str) -> ForkPoint:
    """Memory and indices after the first ``position`` events."""
    state = timeline.at(position)
    image = [(gpa, data.hex()) for gpa, data in timeline.image(position)]
    return ForkPoint(origin, image, [_ring_point(ring) for ring in state.rings])


def _ring_point(ring: Ring) -> RingPoint:
    indices = (ring.last_avail_idx, ring.last_used_idx, ring.avail_shadow)
    return RingPoint(ring.index, ring.num, *indices, _heads(ring), ring.call.count)


def _heads(ring: Ring) -> list[int]:
    """Taken descriptors to which no other taken one points."""
    entries = [ring.desc[index] for index in ring.taken]
    following = {entry[3] for entry in entries if entry is not None and entry[2] & 1}
    return sorted(ring.taken - following)
