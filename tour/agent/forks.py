"""What a new agent must know to go on from a moment of the past."""

from __future__ import annotations

from tour.agent.protocol import ForkPoint, RingPoint
from tour.trace.state import Ring
from tour.trace.timeline import Timeline


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
