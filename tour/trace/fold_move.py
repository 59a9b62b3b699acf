"""Fold, the part of a machine that moves: each device is told things of its own; the one spoken to is in front."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.state import Apart, Ring, State

Changes = tuple[State, Iterable[str]]
DEVICES_MAX = 16
"""Devices a state keeps."""
_DEVICE = ("device_fd", "device_path", "owner", "threads", "features", "offered", "table", "regions", "worker")
_RING = (
    "addr_desc", "addr_avail", "addr_used", "vring_num", "base", "backend", "last_avail_idx", "used_shadow", "kick",
    "call", "err", "broken",
)  # fmt: skip


def _serving(state: State, data: ev.Serving) -> Changes:
    if not 0 <= data.number < DEVICES_MAX:
        raise ValueError(f"device {data.number}")
    apart = state.apart | {state.serving: _put_aside(state)}
    front = apart.pop(data.number, Apart())
    rings = tuple(replace(ring, **front.rings.get(ring.index, _blank())) for ring in state.rings)
    hello = replace(state.hello, device=data.device, gear=data.gear) if state.hello else None
    words = {name: front.words.get(name, _FRESH[name]) for name in _DEVICE}
    after = replace(state, serving=data.number, apart=apart, rings=rings, hello=hello, **words)
    return after, ("serving",)


def _put_aside(state: State) -> Apart:
    rings = {ring.index: {name: getattr(ring, name) for name in _RING} for ring in state.rings}
    return Apart({name: getattr(state, name) for name in _DEVICE}, rings)


_FRESH = {name: getattr(State(), name) for name in _DEVICE}


def _blank() -> dict[str, Any]:
    return {name: getattr(Ring(0), name) for name in _RING}


MOVE_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {ev.Serving: _serving}
