"""The words of one split ring, each by its name, with the memory order it needs.

There is no cleverness here: a method is one load or one store. What is loaded comes from the other side and
may change at any moment, so a caller loads a word once and keeps it. What is stored is told to the recorder
together with the line of ``driver.py`` or ``device.py`` that stored it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tour.abi import native
from tour.abi.layouts import VRING_DESC
from tour.errors import GuestMemoryError
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable, Span
from tour.trace.events import Actor, Store, Write
from tour.trace.recorder import Recorder, here
from tour.virtqueue.layout import RingLayout

_WORD, _USED = "<H", "<II"


class Translator(Protocol):
    """Guest memory or a memory table: something that turns a guest range into HVAs, or GuestMemoryError."""

    def translate(self, gpa: int, size: int) -> int:
        """The HVA of a range in one piece."""
        ...

    def spans(self, gpa: int, size: int) -> list[Span]:
        """The pieces of a range."""
        ...

    def read(self, gpa: int, size: int) -> bytes:
        """A private copy of a range."""
        ...


class Desc(NamedTuple):
    """A descriptor: ``len`` bytes at guest address ``addr``; flags NEXT 1, WRITE 2, INDIRECT 4."""

    addr: int
    len: int
    flags: int = 0
    next: int = 0

    def pack(self) -> bytes:
        """The 16 bytes of struct vring_desc."""
        return VRING_DESC.pack(*self)


def unpack_desc(data: bytes) -> Desc:
    """A descriptor from its 16 bytes."""
    return Desc(*struct.unpack(VRING_DESC.format, data))


class Used(NamedTuple):
    """A used element: chain ``head`` is done and the device wrote ``len`` bytes into it."""

    head: int
    len: int


class Ring:
    """One ring in shared memory. Any number of these may look at the same words.

    ``index`` is the queue's number, ``recorder`` may be None (then nothing is recorded and nothing costs),
    ``log`` is the dirty log that writes to the used ring are marked in, if any, as if it lay at ``log_gpa``.
    """

    def __init__(self, memory: Translator, layout: RingLayout, index: int = 0) -> None:
        """A ring at guest addresses. Raises RingError or GuestMemoryError when it cannot lie there."""
        layout.check(index)
        hva = RingLayout(
            layout.num,
            memory.translate(layout.desc, layout.desc_size),
            memory.translate(layout.avail, layout.avail_size),
            memory.translate(layout.used, layout.used_size),
        )
        self._place(memory, hva, layout, index)

    @classmethod
    def at(cls, hva: RingLayout, table: MemoryTable, index: int = 0) -> Ring:
        """A ring at addresses of this process, as VHOST_SET_VRING_ADDR gives them, not looked up but used.

        ``table`` only tells the guest addresses to show; a part outside it is shown by its HVA.
        Raises RingError for a bad size or alignment (any descriptor alignment, as the kernel).
        """
        hva.check(index, desc_align=1)
        gpa = RingLayout(
            hva.num,
            _shown(table, hva.desc, hva.desc_size),
            _shown(table, hva.avail, hva.avail_size),
            _shown(table, hva.used, hva.used_size),
        )
        ring = cls.__new__(cls)
        ring._place(table, hva, gpa, index)
        return ring

    def _place(self, memory: Translator, hva: RingLayout, gpa: RingLayout, index: int) -> None:
        self.memory, self.hva, self.gpa, self.index = memory, hva, gpa, index
        self.num = hva.num
        self.recorder: Recorder | None = None
        self.log: LogBitmap | None = None
        self.log_gpa = gpa.used
        self._lib = native.lib()

    def slot(self, idx: int) -> int:
        """The slot that a freely running index means: ``idx mod num`` (virtio v1.3 2.7.6)."""
        return idx & (self.num - 1)

    def full_barrier(self) -> None:
        """Everything before is seen before anything after: needed between an own store and a load (C, D)."""
        self._lib.vt_full_barrier()

    # The driver's words: descriptor table and available ring.

    def read_desc(self, index: int) -> Desc:
        """Descriptor ``index`` as one private copy."""
        return unpack_desc(native.peek(self.hva.desc_at(index), VRING_DESC.size))

    def write_desc(self, index: int, desc: Desc) -> None:
        """Fill descriptor ``index``. Nobody looks at it before an index publishes it."""
        where = self.hva.desc_at(index), self.gpa.desc_at(index)
        self._store("driver", f"desc[{index}]", where, VRING_DESC.format, native.poke, desc.pack())

    def write_table(self, gpa: int, index: int, desc: Desc) -> None:
        """Fill entry ``index`` of the indirect table at guest address ``gpa``. Raises GuestMemoryError."""
        at = gpa + VRING_DESC.size * index
        hva = self.memory.translate(at, VRING_DESC.size)
        before = native.peek(hva, VRING_DESC.size) if self.recorder else b""
        native.poke(hva, desc.pack())
        if self.recorder is not None:
            event = Write(self.index, at, before.hex(), desc.pack().hex(), "indirect")
            self.recorder.emit(event, actor="driver", frame=here(2))

    def load_avail_idx(self) -> int:
        """avail.idx (acquire: what it publishes is visible afterwards)."""
        return self._lib.vt_load_acquire_u16(self.hva.avail_idx)

    def store_avail_idx(self, value: int) -> None:
        """avail.idx (release: what it publishes is visible before it)."""
        where = self.hva.avail_idx, self.gpa.avail_idx
        self._store("driver", "avail.idx", where, _WORD, self._lib.vt_store_release_u16, value)

    def read_avail_entry(self, idx: int) -> int:
        """avail.ring[idx mod num]: the head of a chain."""
        return self._lib.vt_load_relaxed_u16(self.hva.avail_ring(self.slot(idx)))

    def store_avail_entry(self, idx: int, head: int) -> None:
        """avail.ring[idx mod num] = head."""
        slot = self.slot(idx)
        where = self.hva.avail_ring(slot), self.gpa.avail_ring(slot)
        self._store("driver", f"avail.ring[{slot}]", where, _WORD, self._lib.vt_store_relaxed_u16, head)

    def load_avail_flags(self) -> int:
        """avail.flags: bit 0 NO_INTERRUPT."""
        return self._lib.vt_load_relaxed_u16(self.hva.avail_flags)

    def store_avail_flags(self, value: int) -> None:
        """avail.flags."""
        where = self.hva.avail_flags, self.gpa.avail_flags
        self._store("driver", "avail.flags", where, _WORD, self._lib.vt_store_relaxed_u16, value)

    def load_used_event(self) -> int:
        """used_event: the used index after which the driver wants a call."""
        return self._lib.vt_load_relaxed_u16(self.hva.used_event)

    def store_used_event(self, value: int) -> None:
        """used_event."""
        where = self.hva.used_event, self.gpa.used_event
        self._store("driver", "avail.used_event", where, _WORD, self._lib.vt_store_relaxed_u16, value)

    # The device's words: used ring.

    def load_used_idx(self) -> int:
        """used.idx (acquire: the elements and the buffers before it are visible afterwards)."""
        return self._lib.vt_load_acquire_u16(self.hva.used_idx)

    def store_used_idx(self, value: int) -> None:
        """used.idx (release: the elements and the buffers are visible before it)."""
        where = self.hva.used_idx, self.gpa.used_idx
        self._store("device", "used.idx", where, _WORD, self._lib.vt_store_release_u16, value)

    def read_used_entry(self, idx: int) -> Used:
        """used.ring[idx mod num], each half read once."""
        at = self.hva.used_ring(self.slot(idx))
        return Used(self._lib.vt_load_relaxed_u32(at), self._lib.vt_load_relaxed_u32(at + 4))

    def store_used_entry(self, idx: int, head: int, length: int) -> None:
        """used.ring[idx mod num] = {head, length}."""
        slot = self.slot(idx)
        where = self.hva.used_ring(slot), self.gpa.used_ring(slot)
        self._store("device", f"used.ring[{slot}]", where, _USED, self._put_used, (head, length))

    def _put_used(self, address: int, element: tuple[int, int]) -> None:
        self._lib.vt_store_relaxed_u32(address, element[0])
        self._lib.vt_store_relaxed_u32(address + 4, element[1])

    def load_used_flags(self) -> int:
        """used.flags: bit 0 NO_NOTIFY."""
        return self._lib.vt_load_relaxed_u16(self.hva.used_flags)

    def store_used_flags(self, value: int) -> None:
        """used.flags."""
        where = self.hva.used_flags, self.gpa.used_flags
        self._store("device", "used.flags", where, _WORD, self._lib.vt_store_relaxed_u16, value)

    def load_avail_event(self) -> int:
        """avail_event: the available index after which the device wants a kick."""
        return self._lib.vt_load_relaxed_u16(self.hva.avail_event)

    def store_avail_event(self, value: int) -> None:
        """avail_event."""
        where = self.hva.avail_event, self.gpa.avail_event
        self._store("device", "used.avail_event", where, _WORD, self._lib.vt_store_relaxed_u16, value)

    def write_base(self, idx: int) -> None:
        """Set avail.idx and used.idx to ``idx``, as the memory of a ring taken over has them.

        Done by whoever sets the scene, while no device is attached.
        """
        for field, hva, gpa in (
            ("avail.idx", self.hva.avail_idx, self.gpa.avail_idx),
            ("used.idx", self.hva.used_idx, self.gpa.used_idx),
        ):
            self._store("control", field, (hva, gpa), _WORD, self._lib.vt_store_release_u16, idx)

    def _store(
        self,
        actor: Actor,
        field: str,
        where: tuple[int, int],
        fmt: str,
        put: Callable[[int, Any], None],
        value: object,
    ) -> None:
        """Do one store and tell the recorder what memory held before and after, and whose line it was."""
        hva, gpa = where
        if self.recorder is None:
            put(hva, value)
        else:
            size = struct.calcsize(fmt)
            before = native.peek(hva, size)
            put(hva, value)
            after = native.peek(hva, size)
            old, new = list(struct.unpack(fmt, before)), list(struct.unpack(fmt, after))
            event = Store(self.index, field, gpa, before.hex(), after.hex(), old, new)
            self.recorder.emit(event, actor=actor, frame=here(3))
        if self.log is not None and actor == "device":
            self.log.set(self.log_gpa + gpa - self.gpa.used, struct.calcsize(fmt))


def _shown(table: MemoryTable, hva: int, size: int) -> int:
    try:
        return table.to_gpa(hva, size)
    except GuestMemoryError:
        return hva
