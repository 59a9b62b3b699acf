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
from tour.trace.fold_ring import RING_HANDLERS, put_ring, ring_of
from tour.trace.state import Bell, CheckState, Frame, PeerState, Ring, State, WorkerState

LOG_LENGTH = 64
FRAMES_KEPT = 16
BUFFERS_KEPT = 64

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
    tells = _tells(event)
    logged = isinstance(event.data, _LOGGED) or (isinstance(event.data, ev.Action) and tells)
    return replace(
        after,
        seq=event.seq,
        t=event.t,
        last=event if tells else after.last,
        acted=event.actor if event.actor != "tour" else after.acted,
        changed=changed | after.pending if tells else after.changed,
        pending=frozenset() if tells or begins else after.pending | changed,
        step_changed=frozenset() if begins else after.step_changed | changed,
        log=(*after.log[1 - LOG_LENGTH :], event) if logged else after.log,
    )


def fold_all(events: Iterable[ev.Event], state: State | None = None) -> State:
    """The state after all ``events``."""
    state = state or State()
    for event in events:
        state = fold(state, event)
    return state


_LOGGED = (ev.Syscall, ev.Ioctl, ev.Store, ev.Write, ev.Kick, ev.Call, ev.Drain, ev.Snapshot)
_SILENT = (ev.Step, ev.Done, ev.Check, ev.Question, ev.Answer, ev.Hello, ev.Bye, ev.RingPlace, ev.Private)

_TOLD_OTHERWISE = ("add", "publish", "kick", "send", "receive", "fill", "flush", "call")
"""Verbs whose store, doorbell or packet has an event, and so a sentence, of its own."""


def _tells(event: ev.Event) -> bool:
    """Whether this event is worth a sentence in 'just happened'."""
    if isinstance(event.data, ev.Ioctl) and event.source == "observer":
        return False
    if isinstance(event.data, ev.Count | ev.Worker):
        return False
    if isinstance(event.data, ev.Action):
        return event.data.verb not in _TOLD_OTHERWISE
    return not isinstance(event.data, _SILENT)


def _with_ring(state: State, queue: int, **changes: Any) -> State:
    return put_ring(state, replace(ring_of(state, queue), **changes))


def _hello(state: State, data: ev.Hello) -> Changes:
    """A stream begins. In a recording of a fork a second one does: of the run it left nothing holds any more."""
    return State(hello=data, lesson=data.lesson), ()


def _region(state: State, data: ev.Region) -> Changes:
    return replace(state, regions=(*state.regions, data)), (f"region[{data.index}]",)


def _place(state: State, data: ev.RingPlace) -> Changes:
    if not 1 <= data.num <= 32768:
        raise ValueError(f"num {data.num}")
    blank = (None,) * data.num
    return (
        _with_ring(
            state, data.queue, num=data.num, place_desc=data.desc, place_avail=data.avail, place_used=data.used,
            desc=blank, avail_ring=blank, used_ring=blank,
        ),
        (),
    )  # fmt: skip


def _doorbell(state: State, data: ev.Doorbell) -> Changes:
    ring = ring_of(state, data.queue)
    _bell(ring, data.doorbell)
    return _with_ring(state, data.queue, **{data.doorbell: Bell(data.fd)}), (f"{ring.name}.{data.doorbell}",)


def _bell(ring: Ring, doorbell: str) -> Bell:
    bells = {"kick": ring.kick, "call": ring.call, "err": ring.err}
    return bells[doorbell]


def _ioctl(state: State, data: ev.Ioctl) -> Changes:
    if data.errno is not None:
        return state, ()
    handler = _IOCTLS.get(data.name)
    return handler(state, data.arg, data.out) if handler else (state, ())


def _set_owner(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, owner=True), ("owner",)


def _get_features(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, offered=int(out["features"])), ("offered",)


def _set_features(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, features=int(arg["features"])), ("features",)


def _set_mem_table(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, mem_table=len(arg["regions"])), ("mem_table",)


def _set_vring_num(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return _vring(state, arg, "vring_num", vring_num=int(arg["num"]))


def _set_vring_base(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    base = int(arg["num"])
    return _vring(state, arg, "base", base=base, last_avail_idx=base)


def _set_vring_addr(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return _vring(
        state, arg, "addr", addr_desc=int(arg["desc"]), addr_avail=int(arg["avail"]), addr_used=int(arg["used"])
    )


def _set_backend(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    fd = int(arg["fd"])
    return _vring(state, arg, "backend", backend=fd if fd >= 0 else None)


def _vring(state: State, arg: dict[str, Any], key: str, **changes: Any) -> Changes:
    queue = int(arg["index"])
    return _with_ring(state, queue, **changes), (f"{ring_of(state, queue).name}.{key}",)


_IOCTLS: dict[str, Callable[[State, dict[str, Any], dict[str, Any]], Changes]] = {
    "VHOST_SET_OWNER": _set_owner,
    "VHOST_GET_FEATURES": _get_features,
    "VHOST_SET_FEATURES": _set_features,
    "VHOST_SET_MEM_TABLE": _set_mem_table,
    "VHOST_SET_VRING_NUM": _set_vring_num,
    "VHOST_SET_VRING_BASE": _set_vring_base,
    "VHOST_SET_VRING_ADDR": _set_vring_addr,
    "VHOST_NET_SET_BACKEND": _set_backend,
}


def _kick(state: State, data: ev.Kick) -> Changes:
    ring = ring_of(state, data.queue)
    bell = Bell(data.fd, data.count, ring.kick.total + data.value)
    return _with_ring(state, data.queue, kick=bell), (f"{ring.name}.kick.count",)


def _call(state: State, data: ev.Call) -> Changes:
    ring = ring_of(state, data.queue)
    bell = Bell(data.fd, data.count, ring.call.total + 1)
    return _with_ring(state, data.queue, call=bell), (f"{ring.name}.call.count",)


def _drain(state: State, data: ev.Drain) -> Changes:
    ring = ring_of(state, data.queue)
    return _with_ring(state, data.queue, call=replace(ring.call, count=0)), (f"{ring.name}.call.count",)


def _count(state: State, data: ev.Count) -> Changes:
    ring = ring_of(state, data.queue)
    bell = _bell(ring, data.doorbell)
    if bell.count == data.count:
        return state, ()
    total = bell.total + max(0, data.count - bell.count)
    after = _with_ring(state, data.queue, **{data.doorbell: Bell(data.fd, data.count, total)})
    return after, (f"{ring.name}.{data.doorbell}.count",)


def _packet(state: State, data: ev.Packet) -> Changes:
    frame = Frame(state.seq + 1, data.direction, data.where, data.frame)
    frames = (*state.frames[1 - FRAMES_KEPT :], frame)
    if data.where == "port":
        return replace(state, frames=frames), ("port",)
    if data.direction == "out":
        return replace(state, frames=frames, packets_out=state.packets_out + 1), ("packets.out",)
    return replace(state, frames=frames, packets_in=state.packets_in + 1), ("packets.in",)


def _worker(state: State, data: ev.Worker) -> Changes:
    worker = WorkerState(data.name, data.tid, data.form, data.state, data.ticks)
    return replace(state, worker=worker), ("worker.state",) if worker.state != state.worker.state else ()


def _peer(state: State, data: ev.Peer) -> Changes:
    return replace(state, peer=PeerState(data.name, data.mac, data.ip, data.guest_mac, data.guest_ip, data.real)), ()


def _write(state: State, data: ev.Write) -> Changes:
    bytes.fromhex(data.after)
    buffers = dict(state.buffers)
    buffers.pop(data.gpa, None)
    buffers[data.gpa] = data.after
    while len(buffers) > BUFFERS_KEPT:
        buffers.pop(next(iter(buffers)))
    return replace(state, buffers=buffers), (f"mem.{data.gpa:#x}",)


def _step(state: State, data: ev.Step) -> Changes:
    if data.mark == "begin":
        return replace(state, step=data.step, ended="", checks=()), ()
    return replace(state, ended=data.ended), ()


def _check(state: State, data: ev.Check) -> Changes:
    return replace(state, checks=(*state.checks, CheckState(data.id, data.ok, data.expr, data.actual))), ()


def _broken(state: State, data: ev.Broken) -> Changes:
    name = ring_of(state, data.queue).name
    return _with_ring(state, data.queue, broken=data.reason), (f"{name}.broken",)


def _lost(state: State, data: ev.Lost) -> Changes:
    return replace(state, lost=state.lost + data.n), ()


def _bye(state: State, data: ev.Bye) -> Changes:
    return replace(state, finished=True), ()


_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {
    ev.Hello: _hello, ev.Region: _region, ev.RingPlace: _place, ev.Doorbell: _doorbell, ev.Ioctl: _ioctl,
    ev.Kick: _kick, ev.Call: _call, ev.Drain: _drain, ev.Count: _count, ev.Packet: _packet, ev.Worker: _worker,
    ev.Peer: _peer, ev.Write: _write, ev.Step: _step, ev.Check: _check, ev.Broken: _broken, ev.Lost: _lost,
    ev.Bye: _bye, **RING_HANDLERS,
}  # fmt: skip
