"""Sentences about a ring's words: stores by their field, private indices, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tour.trace import events as ev
from tour.trace.state import Ring
from tour.view.say import Say

NAMED_MOST = 4
WISHES = ("avail.flags", "used.flags", "avail.used_event", "used.avail_event")
"""What a driver or a device wishes of the other; written from outside they are nobody's wish."""
FLAGS = ((1, "NEXT"), (2, "WRITE"), (4, "INDIRECT"))


def number(value: int | str) -> str:
    """A number as people of the field write it: small ones decimal, addresses hexadecimal."""
    return f"{value:#x}" if isinstance(value, int) and value > 0xFFFF else str(value)


def store(say: Say, data: ev.Store) -> str:
    """One ring word or entry was written."""
    if say.event.actor == "control" and say.event.source == "observer":
        return _lies_here(say, data)
    name, _, slot = data.field.partition("[")
    if say.event.actor == "control" and name in WISHES:
        return _plain(say, data)
    teller = _FIELDS.get(name)
    sizes = {"desc": 4, "used.ring": 2}
    if teller is None or len(data.new) != sizes.get(name, 1) or not data.old:
        return _plain(say, data)
    return teller(say, data, slot.rstrip("]"))


def _plain(say: Say, data: ev.Store) -> str:
    return _told(say, data, "word")


def _lies_here(say: Say, data: ev.Store) -> str:
    """Nobody wrote: from here on another memory is looked at, in which the word is another."""
    return _told(say, data, "word_here")


def _told(say: Say, data: ev.Store, key: str) -> str:
    old, new = (", ".join(number(value) for value in values) or "-" for values in (data.old, data.new))
    return say(key, field=f"{say.queue(data.queue)} {data.field}", old=old, new=new)


def flag_words(flags: int) -> str:
    """Names of a descriptor's flags; empty when there is none."""
    return " | ".join(name for bit, name in FLAGS if flags & bit)


def _desc(say: Say, data: ev.Store, slot: str) -> str:
    gpa, length, flags, _ = data.new
    told = say("desc", n=slot, gpa=f"{gpa:#x}", len=length, flags=flag_words(flags) or say("flags_none"))
    ring = say.ring(data.queue)
    held = ring is not None and slot.isdigit() and any(int(slot) in ring.chain(head) for head in ring.held)
    return told if held or ring is None else told + say("unpublished")


def _avail_entry(say: Say, data: ev.Store, slot: str) -> str:
    told = say("avail_entry", head=data.new[0], slot=slot)
    ring = say.ring(data.queue)
    ahead = ring is not None and ring.num and slot.isdigit() and _ahead(ring, int(slot))
    return told + say("unpublished") if ahead else told


def _ahead(ring: Ring, slot: int) -> bool:
    """Whether the slot lies outside of what is published and not yet read."""
    return (slot - ring.last_avail_idx) % ring.num >= min(ring.waiting, ring.num)


def _avail_idx(say: Say, data: ev.Store, slot: str) -> str:
    ring = say.ring(data.queue)
    entries: Sequence[int | None] = ring.avail_ring if ring else ()
    return _idx(say, data, "avail_idx", "avail.idx", entries)


def _used_idx(say: Say, data: ev.Store, slot: str) -> str:
    ring = say.ring(data.queue)
    entries = tuple(entry[0] if entry else None for entry in ring.used_ring) if ring else ()
    return _idx(say, data, "used_idx", "used.idx", entries)


def _idx(say: Say, data: ev.Store, key: str, field: str, entries: Sequence[int | None]) -> str:
    old, new = data.old[0], data.new[0]
    count = (new - old) & 0xFFFF
    heads = [entries[(old + step) % len(entries)] for step in range(count)] if 0 < count <= len(entries) else []
    if not heads or None in heads:
        told = _plain(say, data)
    else:
        told = say(key, old=old, new=new, heads=_heads(say, [head for head in heads if head is not None]))
    if new < old and count <= max(1, len(entries)):
        told += say("wraps")
    name = say.queue(data.queue).lower()
    return told + say("only") if say.only(f"{name}.{field}") else told


def _heads(say: Say, heads: list[int]) -> str:
    if len(heads) > NAMED_MOST:
        return say("belong_many", n=len(heads))
    return say("belongs" if len(heads) == 1 else "belong", heads=", ".join(map(str, heads)))


def _used_entry(say: Say, data: ev.Store, slot: str) -> str:
    return say("used_entry", slot=slot, head=data.new[0], len=data.new[1])


def _avail_flags(say: Say, data: ev.Store, slot: str) -> str:
    return say("no_calls" if data.new[0] & 1 else "calls", new=data.new[0]) if data.new[0] < 2 else _plain(say, data)


def _used_flags(say: Say, data: ev.Store, slot: str) -> str:
    return say("no_kicks" if data.new[0] & 1 else "kicks", new=data.new[0]) if data.new[0] < 2 else _plain(say, data)


def _used_event(say: Say, data: ev.Store, slot: str) -> str:
    return say("used_event", new=data.new[0])


def _avail_event(say: Say, data: ev.Store, slot: str) -> str:
    return say("avail_event", new=data.new[0])


_FIELDS: dict[str, Callable[[Say, ev.Store, str], str]] = {
    "desc": _desc, "avail.ring": _avail_entry, "avail.idx": _avail_idx, "avail.flags": _avail_flags,
    "avail.used_event": _used_event, "used.ring": _used_entry, "used.idx": _used_idx, "used.flags": _used_flags,
    "used.avail_event": _avail_event,
}  # fmt: skip


def private(say: Say, data: ev.Private) -> str:
    """A private index moved, or was told by VHOST_GET_VRING_BASE."""
    observed = say.event.source == "observer" and data.name == "last_avail_idx"
    key = "private_seen" if observed else "private"
    return say(key, name=data.name, queue=say.queue(data.queue), old=data.before, new=data.after)


def snapshot(say: Say, data: ev.Snapshot) -> str:
    """What was seen of the device's half; which words changed when the state still knows it."""
    queue = say.queue(data.queue)
    if say.state.last is not say.event:
        entries = "".join(
            say("snapshot_entry", slot=entry[0], head=entry[1], len=entry[2]) for entry in data.used if len(entry) == 3
        )
        return say("snapshot", queue=queue, idx=data.used_idx, flags=data.used_flags, entries=entries)
    parts = _seen(say, data)
    if not parts:
        return say("snapshot_same", queue=queue)
    return say("snapshot_changed", queue=queue, what=say("and").join(parts))


def _seen(say: Say, data: ev.Snapshot) -> list[str]:
    name = f"{say.queue(data.queue).lower()}.used"
    changed = say.state.changed
    parts = [
        say("snapshot_ring", slot=entry[0], head=entry[1], len=entry[2])
        for entry in data.used[:NAMED_MOST]
        if len(entry) == 3 and f"{name}.ring[{entry[0]}]" in changed
    ]
    if f"{name}.idx" in changed:
        parts.append(say("snapshot_idx", idx=data.used_idx))
    if f"{name}.flags" in changed:
        parts.append(say("snapshot_flags", flags=data.used_flags))
    if f"{name}.avail_event" in changed:
        parts.append(say("snapshot_event", n=data.avail_event))
    return parts
