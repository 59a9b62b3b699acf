"""Private indices: 16-bit counters that one side keeps for itself and the other never sees."""

from __future__ import annotations

from typing import ClassVar, Protocol, overload

from tour.trace.events import Action, Actor, Private
from tour.trace.recorder import here
from tour.virtqueue.event_idx import WRAP
from tour.virtqueue.ring import Ring


class Side(Protocol):
    """One side of a ring: the driver's or the device's."""

    ACTOR: ClassVar[Actor]
    ring: Ring


class Index:
    """A private index as an attribute: assigning wraps it to 16 bits and tells the recorder.

    So ``self.last_used_idx += 1`` in a queue's code is all there is to it, 65535 included.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.slot = f"_{name}"

    @overload
    def __get__(self, side: None, owner: type) -> Index: ...
    @overload
    def __get__(self, side: Side, owner: type) -> int: ...
    def __get__(self, side: Side | None, owner: type) -> int | Index:
        if side is None:
            return self
        value: int = side.__dict__.get(self.slot, 0)
        return value

    def __set__(self, side: Side, value: int) -> None:
        before = side.__dict__.get(self.slot, 0)
        side.__dict__[self.slot] = value % WRAP
        if side.ring.recorder is not None and before != value % WRAP:
            moved = Private(side.ring.index, self.name, before, value % WRAP)
            side.ring.recorder.emit(moved, actor=side.ACTOR, frame=here(2))


def did(side: Side, verb: str, **detail: int) -> None:
    """Tell the recorder, if there is one, that ``side`` has done ``verb`` on the line above this call; ``detail`` are
    numbers worth showing."""
    if side.ring.recorder is not None:
        action = Action(verb, side.ring.index, dict(detail))
        side.ring.recorder.emit(action, actor=side.ACTOR, frame=here(2), above=1)
