"""The ring as it should be and as it is, drawn by the course's own panel, with the fields that differ marked."""

from __future__ import annotations

from collections.abc import Iterable

from tour.i18n import Lang
from tour.lesson.moment import Badge, Moment, TimelineView
from tour.trace import events as ev
from tour.trace.state import Ring, State
from tour.trace.timeline import Timeline
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.desk import mark
from tour.view.panels import queue
from tour.view.ui import Ui

WIDTH, HEIGHT = 78, 8
WORDS = ("avail_idx", "avail_flags", "used_event", "used_idx", "used_flags", "avail_event")


def state_of(lines: Iterable[str]) -> State | None:
    """What the recording ``lines`` came to; None where there is none."""
    timeline = Timeline()
    for line in lines:
        timeline.append(ev.decode(line.encode()))
    return timeline.edge if len(timeline) else None


def queue_of(lines: Iterable[str]) -> int:
    """The queue that was laid out last."""
    placed = [event.data.queue for line in lines if isinstance((event := ev.decode(line.encode())).data, ev.RingPlace)]
    return placed[-1] if placed else 0


def differing(wanted: Ring, found: Ring) -> list[str]:
    """The names of the ring's fields that are not what they should be: ``avail.idx``, ``desc[3]``, ``used.ring[0]``."""
    fields = [name.replace("_", ".", 1) for name in WORDS if getattr(wanted, name) != getattr(found, name)]
    for name, ours, theirs in (
        ("desc", wanted.desc, found.desc),
        ("avail.ring", wanted.avail_ring, found.avail_ring),
        ("used.ring", wanted.used_ring, found.used_ring),
    ):
        fields += [f"{name}[{at}]" for at in range(min(len(ours), len(theirs))) if ours[at] != theirs[at]]
    return fields


def picture(state: State, index: int, marked: Iterable[str], lang: Lang) -> Canvas:
    """One ring; ``marked`` fields stand between > and <."""
    canvas = Canvas(WIDTH, HEIGHT)
    ring = state.rings[index]
    badge, line = Badge("replay"), TimelineView(0, 0, ())
    moment = Moment(lang, "", "", ("check",), 0, "observe", state, state, badge, line)
    queue.draw(Area(canvas, 0, 0, WIDTH, HEIGHT), View(moment, Ui(), wide=False), ring)
    mark(canvas, [f"{ring.name}.{field}" for field in marked])
    return canvas


def pair(wanted: list[str], found: list[str], lang: Lang) -> list[tuple[str, Canvas]]:
    """``wanted`` and ``found`` with their pictures, where both recordings have a ring; else nothing."""
    index = queue_of(found)
    states = state_of(wanted), state_of(found)
    if states[0] is None or states[1] is None or not states[1].rings[index].num or not states[0].rings[index].num:
        return []
    fields = differing(states[0].rings[index], states[1].rings[index])
    if not fields:
        return []
    named = zip(("wanted", "found"), states, strict=True)
    return [(name, picture(state, index, fields, lang)) for name, state in named if state is not None]
