"""Fold, the ring's part: stores, snapshots, private indices and reaping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.state import Ring, State

PRIVATE = ("last_avail_idx", "used_shadow", "last_used_idx", "avail_shadow")


def put_ring(state: State, ring: Ring) -> State:
    """The state with that queue replaced."""
    rings = list(state.rings)
    rings[ring.index] = ring
    return replace(state, rings=tuple(rings))


def ring_of(state: State, queue: int) -> Ring:
    """That queue: 0 or 1, more where a device with more is watched. Raises ValueError for any other."""
    if not 0 <= queue < len(state.rings):
        raise ValueError(f"queue {queue}")
    return state.rings[queue]


def with_ring(state: State, queue: int, **changes: Any) -> State:
    """The state with those fields of that queue replaced."""
    return put_ring(state, replace(ring_of(state, queue), **changes))


def _slot(field: str) -> int:
    return int(field[field.index("[") + 1 : field.index("]")])


def store(state: State, data: ev.Store) -> tuple[State, Iterable[str]]:
    """One word or entry of a ring was written."""
    ring = ring_of(state, data.queue)
    bytes.fromhex(data.after)
    name, _, _ = data.field.partition("[")
    return put_ring(state, _STORES[name](ring, data)), (f"{ring.name}.{data.field}",)


def _desc(ring: Ring, data: ev.Store) -> Ring:
    index = _slot(data.field)
    addr, length, flags, following = data.new
    table = ring.desc.put(index, (addr, length, flags, following))
    return replace(ring, desc=table, taken=ring.taken | {index})


def _avail_entry(ring: Ring, data: ev.Store) -> Ring:
    return replace(ring, avail_ring=ring.avail_ring.put(_slot(data.field), data.new[0]))


def _avail_idx(ring: Ring, data: ev.Store) -> Ring:
    heads = _between(ring.avail_ring, ring.avail_idx, data.new[0])
    return replace(ring, avail_idx=data.new[0], held=ring.held | {head for head in heads if head is not None})


def _used_entry(ring: Ring, data: ev.Store) -> Ring:
    head, length = data.new
    return replace(ring, used_ring=ring.used_ring.put(_slot(data.field), (head, length)))


def _used_idx(ring: Ring, data: ev.Store) -> Ring:
    return _complete(ring, data.new[0])


def _complete(ring: Ring, used_idx: int) -> Ring:
    entries = _between(ring.used_ring, ring.used_idx, used_idx)
    heads = {entry[0] for entry in entries if entry is not None}
    broken = ring.broken if used_idx == ring.used_idx else None
    return replace(ring, used_idx=used_idx, held=ring.held - heads, broken=broken)


def _between(values: Sequence[Any], start: int, stop: int) -> list[Any]:
    """Entries of the slots from free-running index ``start`` up to ``stop``, at most a whole ring of them."""
    count = min((stop - start) & 0xFFFF, len(values))
    return [values[(start + step) % len(values)] for step in range(count)]


def _word(name: str) -> Callable[[Ring, ev.Store], Ring]:
    def put(ring: Ring, data: ev.Store) -> Ring:
        return replace(ring, **{name: data.new[0]})

    return put


_STORES: dict[str, Callable[[Ring, ev.Store], Ring]] = {
    "desc": _desc,
    "avail.ring": _avail_entry,
    "avail.idx": _avail_idx,
    "avail.flags": _word("avail_flags"),
    "avail.used_event": _word("used_event"),
    "used.ring": _used_entry,
    "used.idx": _used_idx,
    "used.flags": _word("used_flags"),
    "used.avail_event": _word("avail_event"),
}


def snapshot(state: State, data: ev.Snapshot) -> tuple[State, Iterable[str]]:
    """The device's half as observed; the keys are those that differ from what was known."""
    ring = ring_of(state, data.queue)
    for word in (data.used_idx, data.used_flags, data.avail_event or 0):
        word.to_bytes(2, "little")
    keys = []
    entries = ring.used_ring
    for slot, head, length in data.used:
        _ = head.to_bytes(4, "little") + length.to_bytes(4, "little")
        entries = entries.put(slot, (head, length))
        keys.append(f"{ring.name}.used.ring[{slot}]")
    after = replace(ring, used_ring=entries, used_flags=data.used_flags, avail_event=data.avail_event)
    after = _complete(after, data.used_idx)
    words = (("used.idx", "used_idx"), ("used.flags", "used_flags"), ("used.avail_event", "avail_event"))
    keys += [f"{ring.name}.{key}" for key, name in words if getattr(ring, name) != getattr(after, name)]
    return put_ring(state, after), keys


def private(state: State, data: ev.Private) -> tuple[State, Iterable[str]]:
    """A private index moved; names the state does not draw are passed over."""
    ring = ring_of(state, data.queue)
    if data.name not in PRIVATE:
        return state, ()
    changed = (f"{ring.name}.{data.name}",) if data.after != getattr(ring, data.name) else ()
    return put_ring(state, replace(ring, **{data.name: data.after})), changed


def action(state: State, data: ev.Action) -> tuple[State, Iterable[str]]:
    """Only ``reap`` changes what is known: its chain goes back to the free list."""
    if data.verb != "reap":
        return state, ()
    ring = ring_of(state, data.queue)
    head = int(data.detail["head"])
    return put_ring(state, replace(ring, taken=ring.taken - set(ring.chain(head)))), (f"{ring.name}.free",)


RING_HANDLERS: dict[type, Callable[[State, Any], tuple[State, Iterable[str]]]] = {
    ev.Store: store,
    ev.Snapshot: snapshot,
    ev.Private: private,
    ev.Action: action,
}
