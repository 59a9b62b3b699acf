"""Fold: the next state from a state and an event. Pure; the only place that knows what an event means.

An event a state cannot take (a ring that was never placed, a slot out of range) comes from a damaged or hostile
recording: ``fold`` then raises ``FoldError`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tour.errors import UsageError
from tour.trace import events as ev
from tour.trace.fold_control import CONTROL_HANDLERS, bell_of, called
from tour.trace.fold_measure import MEASURE_HANDLERS
from tour.trace.fold_move import MOVE_HANDLERS
from tour.trace.fold_ring import RING_HANDLERS, ring_of, with_ring
from tour.trace.fold_sample import SAMPLE_HANDLERS
from tour.trace.state import CheckState, Frame, PeerState, State
from tour.trace.tables import Table

LOG_LENGTH = 64
FRAMES_KEPT = 16
BUFFERS_KEPT = 64
KEYS_KEPT = 512

Changes = tuple[State, Iterable[str]]


class FoldError(UsageError):
    """The event contradicts the state it is applied to."""


def fold(state: State, event: ev.Event) -> State:
    """The state after ``event``. Raises FoldError when it cannot follow ``state``."""
    handler = _HANDLERS.get(type(event.data))
    try:
        after, keys = handler(state, event.data) if handler else (state, ())
    except (LookupError, ValueError, TypeError, OverflowError) as error:
        raise FoldError(f"Event {event.seq} does not fit what came before it: {error}.") from error
    changed = frozenset(keys)
    begins = isinstance(event.data, ev.Step) and event.data.mark == "begin"
    telling = tells(event)
    logged = isinstance(event.data, _LOGGED) or (isinstance(event.data, ev.Action) and telling)
    return replace(
        after,
        seq=event.seq,
        t=event.t,
        last=event if telling else after.last,
        called=called(after, event),
        acted=event.actor if event.actor != "tour" else after.acted,
        changed=changed | after.pending if telling else after.changed,
        pending=frozenset() if telling or begins else after.pending | changed,
        step_changed=frozenset() if begins else _joined(after.step_changed, changed),
        log=(*after.log[1 - LOG_LENGTH :], event) if logged else after.log,
    )


def _joined(earlier: frozenset[str], changed: frozenset[str]) -> frozenset[str]:
    """All keys changed in the step; of very many, slots and buffers of before are forgotten, never a ring's words."""
    if len(earlier) > KEYS_KEPT:
        earlier = frozenset(key for key in earlier if "[" not in key and not key.startswith("mem."))
    return earlier | changed


def fold_all(events: Iterable[ev.Event], state: State | None = None) -> State:
    """The state after all ``events``."""
    state = state or State()
    for event in events:
        state = fold(state, event)
    return state


_LOGGED = (
    ev.Syscall, ev.Ioctl, ev.Message, ev.Translated, ev.Store, ev.Write, ev.Kick, ev.Call, ev.Drain, ev.Snapshot,
    ev.Exit,
)  # fmt: skip
_SILENT = (ev.Step, ev.Done, ev.Check, ev.Question, ev.Answer, ev.Hello, ev.Bye, ev.Private, ev.Rates, ev.Point, ev.Cpu)

GONE = "X"
"""The state letter of a thread that is no more."""
_TOLD_OTHERWISE = ("add", "publish", "kick", "send", "receive", "fill", "flush", "call")
"""Verbs whose store, doorbell or packet has an event, and so a sentence, of its own."""


def tells(event: ev.Event) -> bool:
    """Whether this event is worth a sentence in 'just happened'."""
    if isinstance(event.data, ev.Ioctl) and event.source == "observer":
        return False
    if isinstance(event.data, ev.Count | ev.Worker):
        return isinstance(event.data, ev.Worker) and event.data.state == GONE
    if isinstance(event.data, ev.Action):
        return event.data.verb not in _TOLD_OTHERWISE
    return not isinstance(event.data, _SILENT)


def _hello(state: State, data: ev.Hello) -> Changes:
    """A stream begins. In a recording of a fork a second one does: of the run it left nothing holds any more."""
    return State(hello=data, lesson=data.lesson), ()


def _place(state: State, data: ev.RingPlace) -> Changes:
    if not 1 <= data.num <= 32768:
        raise ValueError(f"num {data.num}")
    return (
        with_ring(
            state, data.queue, num=data.num, place_desc=data.desc, place_avail=data.avail, place_used=data.used,
            desc=Table.filled(data.num, None), avail_ring=Table.filled(data.num, None),
            used_ring=Table.filled(data.num, None),
        ),
        (f"{ring_of(state, data.queue).name}.num",),
    )  # fmt: skip


def _kick(state: State, data: ev.Kick) -> Changes:
    ring = ring_of(state, data.queue)
    bell = replace(ring.kick, fd=data.fd, count=data.count, total=ring.kick.total + data.value)
    return with_ring(state, data.queue, kick=bell), (f"{ring.name}.kick.count",)


def _call(state: State, data: ev.Call) -> Changes:
    ring = ring_of(state, data.queue)
    bell = replace(ring.call, fd=data.fd, count=data.count, total=ring.call.total + 1)
    return with_ring(state, data.queue, call=bell), (f"{ring.name}.call.count",)


def _drain(state: State, data: ev.Drain) -> Changes:
    ring = ring_of(state, data.queue)
    return with_ring(state, data.queue, call=replace(ring.call, count=0)), (f"{ring.name}.call.count",)


def _count(state: State, data: ev.Count) -> Changes:
    ring = ring_of(state, data.queue)
    bell = bell_of(ring, data.doorbell)
    if bell.count == data.count:
        return state, ()
    total = bell.total + max(0, data.count - bell.count)
    after = with_ring(state, data.queue, **{data.doorbell: replace(bell, fd=data.fd, count=data.count, total=total)})
    return after, (f"{ring.name}.{data.doorbell}.count",)


def _packet(state: State, data: ev.Packet) -> Changes:
    frame = Frame(state.seq + 1, data.direction, data.where, data.frame, data.hdr, data.queue)
    frames = (*state.frames[1 - FRAMES_KEPT :], frame)
    if data.where == "port":
        return replace(state, frames=frames), ("port",)
    if data.direction == "out":
        return replace(state, frames=frames, packets_out=state.packets_out + 1), ("packets.out",)
    return replace(state, frames=frames, packets_in=state.packets_in + 1), ("packets.in",)


def _peer(state: State, data: ev.Peer) -> Changes:
    return replace(state, peer=PeerState(data.name, data.mac, data.ip, data.guest_mac, data.guest_ip, data.real)), ()


def _write(state: State, data: ev.Write) -> Changes:
    bytes.fromhex(data.after)
    buffers = _newest(state.buffers, data.gpa, data.after)
    return replace(state, buffers=buffers, parts=_newest(state.parts, data.gpa, data.what)), (f"mem.{data.gpa:#x}",)


def _newest(kept: dict[int, str], gpa: int, value: str) -> dict[int, str]:
    """The same with ``value`` as the newest of the few that are kept."""
    after = {at: old for at, old in kept.items() if at != gpa} | {gpa: value}
    while len(after) > BUFFERS_KEPT:
        after.pop(next(iter(after)))
    return after


def _step(state: State, data: ev.Step) -> Changes:
    if data.mark == "begin":
        return replace(state, step=data.step, ended="", checks=()), ()
    return replace(state, ended=data.ended), ()


def _check(state: State, data: ev.Check) -> Changes:
    return replace(state, checks=(*state.checks, CheckState(data.id, data.ok, data.expr, data.actual))), ()


def _broken(state: State, data: ev.Broken) -> Changes:
    name = ring_of(state, data.queue).name
    return with_ring(state, data.queue, broken=data.reason), (f"{name}.broken",)


def _lost(state: State, data: ev.Lost) -> Changes:
    return replace(state, lost=state.lost + data.n), ()


def _bye(state: State, data: ev.Bye) -> Changes:
    return replace(state, finished=True), ()


_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {
    ev.Hello: _hello, ev.RingPlace: _place, ev.Kick: _kick, ev.Call: _call, ev.Drain: _drain, ev.Count: _count,
    ev.Packet: _packet, ev.Peer: _peer, ev.Write: _write, ev.Step: _step, ev.Check: _check, ev.Broken: _broken,
    ev.Lost: _lost, ev.Bye: _bye, **RING_HANDLERS, **CONTROL_HANDLERS,
    **SAMPLE_HANDLERS, **MEASURE_HANDLERS, **MOVE_HANDLERS,
}  # fmt: skip
