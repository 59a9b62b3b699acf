"""Guest memory of a moment of the past, written again store by store, so that the new trace explains itself."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Protocol

from tour.memory.guest import GuestMemory
from tour.trace import events as ev
from tour.trace.recorder import Recorder, here
from tour.virtqueue.ring import Ring


class RingPoint(Protocol):
    """One queue at the moment a fork starts from (``agent.protocol.RingPoint``)."""

    @property
    def queue(self) -> int: ...  # noqa: D102
    @property
    def last_avail_idx(self) -> int: ...  # noqa: D102
    @property
    def last_used_idx(self) -> int: ...  # noqa: D102
    @property
    def avail_shadow(self) -> int: ...  # noqa: D102
    @property
    def in_flight(self) -> list[int]: ...  # noqa: D102
    @property
    def calls(self) -> int: ...  # noqa: D102


def field_at(ring: Ring, gpa: int, size: int) -> tuple[str, str] | None:
    """Name and struct format of the ring's field at that address, None when it is none of this ring's."""
    place, num = ring.gpa, ring.num
    words = {
        (place.avail_flags, 2): "avail.flags",
        (place.avail_idx, 2): "avail.idx",
        (place.used_event, 2): "avail.used_event",
        (place.used_flags, 2): "used.flags",
        (place.used_idx, 2): "used.idx",
        (place.avail_event, 2): "used.avail_event",
    }
    if (gpa, size) in words:
        return words[gpa, size], "<H"
    tables = (("desc", place.desc, 16, "<QIHH"), ("avail.ring", place.avail + 4, 2, "<H"))
    for name, start, width, fmt in (*tables, ("used.ring", place.used + 4, 8, "<II")):
        slot, rest = divmod(gpa - start, width)
        if size == width and rest == 0 and 0 <= slot < num:
            return f"{name}[{slot}]", fmt
    return None


Pieces = Sequence[tuple[int, str]]
"""Bytes of guest memory as (gpa, hexadecimal text), in order of writing."""


def offered_since(ring: Ring, last_avail_idx: int, image: Pieces) -> tuple[Pieces, Pieces]:
    """The image without, and only with, the stores of avail.idx by which buffers were offered that wait still.

    A device that is attached takes a turn at once and would find them, kick or no kick (NET_SET_BACKEND starts
    polling a tap that is writable: vhost_net_enable_vq(), drivers/vhost/net.c@6.1). So they come afterwards.
    """
    now: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    for gpa, text in image:
        data = bytes.fromhex(text)
        idx = int.from_bytes(data, "little") if (gpa, len(data)) == (ring.gpa.avail_idx, 2) else last_avail_idx
        waiting = 0 < (idx - last_avail_idx) & 0xFFFF <= ring.num
        (later if waiting else now).append((gpa, text))
    return now, later


def restore_memory(memory: GuestMemory, rings: Iterable[Ring], image: Pieces, recorder: Recorder) -> None:
    """Write every piece of ``image`` again, in its order, and tell each as what it is: a ring's field or bytes."""
    known = tuple(rings)
    for gpa, text in image:
        data = bytes.fromhex(text)
        before = memory.read(gpa, len(data))
        memory.write(gpa, data)
        event = _event(known, gpa, before, memory.read(gpa, len(data)))
        recorder.emit(event, actor="control", frame=here(), above="memory.write")


def _event(rings: Sequence[Ring], gpa: int, before: bytes, after: bytes) -> ev.Store | ev.Write:
    for ring in rings:
        found = field_at(ring, gpa, len(after))
        if found is not None:
            name, fmt = found
            old, new = list(struct.unpack(fmt, before)), list(struct.unpack(fmt, after))
            return ev.Store(ring.index, name, gpa, before.hex(), after.hex(), old, new)
    return ev.Write(1, gpa, before.hex(), after.hex(), "buffer")


def free_list(ring: Ring, point: RingPoint, image: Pieces, recorder: Recorder) -> None:
    """Tell which of the descriptors once filled were back on the free list at that moment."""
    taken = {index for head in point.in_flight for index in chain(ring, head)}
    filled = set()
    for gpa, text in image:
        found = field_at(ring, gpa, len(text) // 2)
        if found is not None and found[0].startswith("desc["):
            filled.add(int(found[0][5:-1]))
    for index in sorted(filled - taken):
        recorder.emit(ev.Action("reap", ring.index, {"head": index}), actor="control")


def chain(ring: Ring, head: int) -> list[int]:
    """Descriptors of the chain at ``head`` as memory has them; bounded by the ring's size."""
    found = [head]
    while len(found) < ring.num and (desc := ring.read_desc(found[-1])).flags & 1:
        found.append(desc.next % ring.num)
    return found
