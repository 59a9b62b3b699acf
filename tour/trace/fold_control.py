"""Fold, the control plane's part: the device opened, vhost's calls, guest memory, doorbells, the worker found.

A call changes what vhost knows only if it succeeded; what was merely made (an eventfd, a mapping) it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.fold_ring import ring_of, with_ring
from tour.trace.state import Bell, Called, Mapped, Ring, State, WorkerState

Changes = tuple[State, Iterable[str]]
VHOST_NET = "/dev/vhost-net"
HIDDEN = "hidden"
"""The form of a worker that must be there, as SET_OWNER succeeded, though /proc shows no new thread."""


def bell_of(ring: Ring, doorbell: str) -> Bell:
    """That ring's ``kick``, ``call`` or ``err``. Raises KeyError for any other."""
    bells = {"kick": ring.kick, "call": ring.call, "err": ring.err}
    return bells[doorbell]


def called(state: State, event: ev.Event) -> Called:
    """The step's last call, ``event`` included: a call of ours, not one made only to look."""
    data = event.data
    if isinstance(data, ev.Ioctl | ev.Syscall) and event.source != "observer":
        num = data.out.get("num") if isinstance(data, ev.Ioctl) else None
        return Called(data.name, data.result, data.errno or "", num if isinstance(num, int) else None)
    begins = isinstance(data, ev.Step) and data.mark == "begin"
    return Called() if begins else state.called


def _opened(state: State, data: ev.Opened) -> Changes:
    return replace(state, device_fd=-1, device_path=""), ("opened",)


def _closed(state: State, data: ev.Closed) -> Changes:
    """Nothing of it is left: its worker ended, what it was told is forgotten."""
    after, keys = _forgotten(state)
    return replace(after, device_fd=None, device_path="", offered=None), ("opened", "offered", *keys)


def _syscall(state: State, data: ev.Syscall) -> Changes:
    if data.name == "close" and data.errno is None and data.args == [str(state.device_fd)]:
        return _closed(state, ev.Closed("kernel"))
    path = next((arg.strip('"') for arg in data.args[:2] if VHOST_NET in arg), "")
    if data.errno is not None or not path or data.name not in ("open", "openat"):
        return state, ()
    return replace(state, device_fd=data.result, device_path=path), ("opened",)


def _features(state: State, data: ev.Features) -> Changes:
    if data.whose == "device":
        return replace(state, device_features=_word(data.word)), ("device.features",)
    return replace(state, driver_features=_word(data.word)), ("driver.features",)


def _threads(state: State, data: ev.Threads) -> Changes:
    """A kernel's device that has an owner has a worker [vhost_dev_set_owner(), drivers/vhost/vhost.c@6.1]."""
    hidden = data.tid == 0 and state.owner and not state.worker.form
    worker = WorkerState(form=HIDDEN) if hidden else state.worker
    return replace(state, threads=data, worker=worker), ("threads", *(("worker",) if hidden else ()))


def _holders(state: State, data: ev.Holders) -> Changes:
    return replace(state, holders=data), ("holders",)


def _worker(state: State, data: ev.Worker) -> Changes:
    worker = WorkerState(data.name, data.tid, data.form, data.state, data.ticks)
    return replace(state, worker=worker), ("worker.state",) if worker.state != state.worker.state else ()


def _region(state: State, data: ev.Region) -> Changes:
    others = tuple(region for region in state.regions if region.index != data.index)
    kept = (data,) if data.size else ()
    return replace(state, regions=(*others, *kept)), (f"region[{data.index}].hva",)


def _translated(state: State, data: ev.Translated) -> Changes:
    return replace(state, translated=data), ("translated.hva" if data.hva is not None else "translated.fault",)


def _doorbell(state: State, data: ev.Doorbell) -> Changes:
    ring = ring_of(state, data.queue)
    bell = Bell(data.fd, given=bell_of(ring, data.doorbell).given)
    return with_ring(state, data.queue, **{data.doorbell: bell}), (f"{ring.name}.{data.doorbell}.fd",)


# --- vhost's calls --------------------------------------------------------------------------------------------


def _ioctl(state: State, data: ev.Ioctl) -> Changes:
    handler = _IOCTLS.get(data.name) if data.errno is None else None
    return handler(state, data.arg, data.out) if handler else (state, ())


def _word(number: Any) -> int:
    """A feature word: 64 bits. Raises ValueError for what is none."""
    if not 0 <= int(number) < 1 << 64:
        raise ValueError(f"feature word {number}")
    return int(number)


def _set_owner(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, owner=True), ("owner",)


def _reset_owner(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    """All is forgotten: vhost_dev_reset_owner() and vhost_vq_reset(), drivers/vhost/vhost.c@6.1."""
    return _forgotten(state)


def _forgotten(state: State) -> Changes:
    after = replace(state, owner=False, threads=None, features=None, table=None, worker=WorkerState())
    for ring in state.rings:
        bells = {name: replace(bell_of(ring, name), given=None) for name in ("kick", "call", "err")}
        blank = dict.fromkeys(("addr_desc", "addr_avail", "addr_used", "vring_num", "base", "backend"))
        after = with_ring(after, ring.index, **bells, **blank)
    return after, ("owner", "worker", "features", "mem_table")


def _get_features(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, offered=_word(out["features"])), ("offered",)


def _set_features(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return replace(state, features=_word(arg["features"])), ("features",)


def _set_mem_table(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    table = tuple(Mapped(int(r["gpa"]), int(r["size"]), int(r["hva"])) for r in arg["regions"])
    return replace(state, table=table), ("mem_table",)


def _set_vring_num(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return _vring(state, arg, ("vring_num",), vring_num=int(arg["num"]))


def _set_vring_base(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    base = int(arg["num"])
    return _vring(state, arg, ("base",), base=base, last_avail_idx=base)


def _set_vring_addr(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    where = {f"addr_{part}": int(arg[part]) for part in ("desc", "avail", "used")}
    return _vring(state, arg, ("addr.desc", "addr.avail", "addr.used"), **where)


def _set_vring_file(name: str) -> Callable[[State, dict[str, Any], dict[str, Any]], Changes]:
    def put(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
        bell = bell_of(ring_of(state, int(arg["index"])), name)
        return _vring(state, arg, (f"{name}.given",), **{name: replace(bell, given=_fd(arg))})

    return put


def _set_backend(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    return _vring(state, arg, ("backend",), backend=_fd(arg), detached=_fd(arg) is None)


def _fd(arg: dict[str, Any]) -> int | None:
    """The descriptor told, None for -1: that takes it away."""
    fd = int(arg["fd"])
    return fd if fd >= 0 else None


def _vring(state: State, arg: dict[str, Any], keys: tuple[str, ...], **changes: Any) -> Changes:
    queue = int(arg["index"])
    return with_ring(state, queue, **changes), tuple(f"{ring_of(state, queue).name}.{key}" for key in keys)


_IOCTLS: dict[str, Callable[[State, dict[str, Any], dict[str, Any]], Changes]] = {
    "VHOST_SET_OWNER": _set_owner,
    "VHOST_RESET_OWNER": _reset_owner,
    "VHOST_GET_FEATURES": _get_features,
    "VHOST_SET_FEATURES": _set_features,
    "VHOST_SET_MEM_TABLE": _set_mem_table,
    "VHOST_SET_VRING_NUM": _set_vring_num,
    "VHOST_SET_VRING_BASE": _set_vring_base,
    "VHOST_SET_VRING_ADDR": _set_vring_addr,
    "VHOST_SET_VRING_KICK": _set_vring_file("kick"),
    "VHOST_SET_VRING_CALL": _set_vring_file("call"),
    "VHOST_SET_VRING_ERR": _set_vring_file("err"),
    "VHOST_NET_SET_BACKEND": _set_backend,
}

_USER = "VHOST_USER_"


def _message(state: State, data: ev.Message) -> Changes:
    """What a front end told by message stands as what a caller tells by ioctl; user addresses take the HVAs' place."""
    handler = _MESSAGES.get(data.name) if data.result == 0 and data.arg else None
    return handler(state, data.arg, data.out) if handler else (state, ())


def _told_table(state: State, arg: dict[str, Any], out: dict[str, Any]) -> Changes:
    table = tuple(Mapped(int(r["gpa"]), int(r["size"]), int(r["user"])) for r in arg["regions"])
    return replace(state, table=table), ("mem_table",)


_MESSAGES: dict[str, Callable[[State, dict[str, Any], dict[str, Any]], Changes]] = {
    f"{_USER}SET_FEATURES": _set_features,
    f"{_USER}SET_MEM_TABLE": _told_table,
}

CONTROL_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {
    ev.Opened: _opened, ev.Closed: _closed, ev.Syscall: _syscall, ev.Features: _features, ev.Threads: _threads,
    ev.Holders: _holders, ev.Worker: _worker, ev.Region: _region, ev.Translated: _translated,
    ev.Doorbell: _doorbell, ev.Ioctl: _ioctl, ev.Message: _message,
}  # fmt: skip
