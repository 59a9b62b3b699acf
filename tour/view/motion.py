"""What moves when an event happens: from which place of the picture, over which, to which. Pure.

Places are the anchors of ``tour.view.canvas``; a place the present picture does not show simply ends the journey
early. Motion means data moved: an event that moves nothing yields nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tour.trace import events as ev
from tour.trace.state import QUEUE_NAMES
from tour.view.canvas import Rect

VERB_SECONDS = 0.6
"""The longest that one event's motion may take."""

TICK_AT = 0.4
"""When, in a tick's time, the number changes."""

_SLOT = re.compile(r"(avail|used)\.ring\[(\d+)\]|desc\[(\d+)\]")


@dataclass(frozen=True)
class Travel:
    """One thing on its way. ``path`` are anchor names in order (one name: it ticks in place); ``label`` is what
    is seen moving, ``style`` whose colour it wears (control, driver, device, network). What ticks shows ``old``
    first."""

    path: tuple[str, ...]
    label: str
    style: str
    inferred: bool = False
    old: str = ""

    @property
    def text(self) -> str:
        """The label as painted; what was inferred carries a tilde."""
        return f"~{self.label}" if self.inferred else self.label

    def at(self, progress: float) -> str:
        """The text at ``progress`` 0..1."""
        return self.old if self.old and progress < TICK_AT else self.text


def travels(event: ev.Event) -> tuple[Travel, ...]:
    """What moves at ``event``, in order; empty when nothing does."""
    found = _MOVES.get(type(event.data))
    return found(event, event.data) if found else ()


def where(travel: Travel, anchors: Mapping[str, Rect], progress: float) -> tuple[int, int] | None:
    """The cell where the thing is at ``progress`` 0..1 of its journey; None if the picture lacks its places."""
    points = [_middle(anchors[name]) for name in travel.path if name in anchors]
    if not points or (len(travel.path) > 1 and len(points) < 2):
        return None
    if len(points) == 1:
        return points[0]
    return _along(points, _ease(min(1.0, max(0.0, progress))))


def _middle(place: Rect) -> tuple[int, int]:
    return place.x + max(0, (place.w - 1) // 2), place.y + max(0, (place.h - 1) // 2)


def _ease(progress: float) -> float:
    return progress * progress * (3 - 2 * progress)


def _along(points: list[tuple[int, int]], progress: float) -> tuple[int, int]:
    """The point ``progress`` of the way, legs weighted by length (a row counts double, as cells are tall)."""
    legs = [abs(bx - ax) + 2 * abs(by - ay) or 1 for (ax, ay), (bx, by) in zip(points, points[1:], strict=False)]
    left = progress * sum(legs)
    for leg, (ax, ay), (bx, by) in zip(legs, points, points[1:], strict=False):
        if left <= leg:
            share = left / leg
            return round(ax + (bx - ax) * share), round(ay + (by - ay) * share)
        left -= leg
    return points[-1]


def _queue(index: int | None) -> str:
    return QUEUE_NAMES[index] if index in (0, 1) else "tx"


def _person(event: ev.Event) -> str:
    return "worker" if event.actor == "device" else "control" if event.actor == "control" else "driver"


def _travel(event: ev.Event, path: tuple[str, ...], label: str) -> tuple[Travel, ...]:
    style = event.actor if event.actor in ("control", "driver", "device") else "network"
    return (Travel(path, label, style, event.inferred),)


def _tick(event: ev.Event, place: str, old: list[int], new: list[int]) -> tuple[Travel, ...]:
    before, after = ("/".join(str(number) for number in numbers) for numbers in (old, new))
    style = event.actor if event.actor in ("control", "driver", "device") else "network"
    return (Travel((place,), after, style, event.inferred, before),)


def _store(event: ev.Event, data: ev.Store) -> tuple[Travel, ...]:
    queue = _queue(data.queue)
    target = f"{queue}.{data.field}"
    slot = _SLOT.fullmatch(data.field)
    if slot is None:
        return _tick(event, target, data.old, data.new)
    if slot[3] is not None:
        return _travel(event, (_person(event), target), f"{{{data.new[0]:#x}}}")
    head = data.new[0]
    start = f"{queue}.desc[{head}]" if slot[1] == "avail" else "worker"
    return _travel(event, (start, target), f"[{head}]")


def _write(event: ev.Event, data: ev.Write) -> tuple[Travel, ...]:
    return _travel(event, (_person(event), f"mem.{data.gpa:#x}"), f"{len(data.after) // 2} B")


def _snapshot(event: ev.Event, data: ev.Snapshot) -> tuple[Travel, ...]:
    queue = _queue(data.queue)
    filled = [Travel(("worker", f"{queue}.used.ring[{slot}]"), f"[{head}]", "device", True)
              for slot, head, _ in data.used[-2:]]  # fmt: skip
    if not filled:
        return ()
    return (*filled, Travel((f"{queue}.used.idx",), str(data.used_idx), "device", True))


def _kick(event: ev.Event, data: ev.Kick) -> tuple[Travel, ...]:
    return _travel(event, ("driver", f"{_queue(data.queue)}.kick", "worker"), "+1 kick")


def _call(event: ev.Event, data: ev.Call) -> tuple[Travel, ...]:
    return _travel(event, ("worker", f"{_queue(data.queue)}.call", "driver"), "+1 call")


def _packet(event: ev.Event, data: ev.Packet) -> tuple[Travel, ...]:
    path = ("worker", "tap") if data.where == "port" else ("tap", "peer")
    path = path if data.direction == "out" else path[::-1]
    return (Travel(path, f"{len(data.frame) // 2} B", "network", event.inferred),)


def _action(event: ev.Event, data: ev.Action) -> tuple[Travel, ...]:
    path = _ACTIONS.get(data.verb)
    if path is None:
        return ()
    numbers = _Numbers(data.detail)
    start, end, label = (part.format_map(numbers) for part in path)
    queue = _queue(data.queue)
    return _travel(event, (start.replace("Q", queue), end.replace("Q", queue)), label)


class _Numbers(dict[str, int | str]):
    """An action's numbers; addresses as hexadecimal, what is missing as 0."""

    def __missing__(self, key: str) -> int:
        return 0

    def __getitem__(self, key: str) -> int | str:
        value = super().__getitem__(key) if key in self else 0
        return hex(value) if key == "gpa" and isinstance(value, int) else value


_ACTIONS = {
    "pop": ("Q.avail.ring[{slot}]", "worker", "[{head}]"),
    "map": ("worker", "mem.{gpa}", "{gpa}"),
    "reap": ("Q.used.ring[{slot}]", "driver", "[{head}]"),
}

_MOVES: dict[type, Callable[[ev.Event, Any], tuple[Travel, ...]]] = {
    ev.Store: _store,
    ev.Write: _write,
    ev.Snapshot: _snapshot,
    ev.Kick: _kick,
    ev.Call: _call,
    ev.Packet: _packet,
    ev.Action: _action,
}
