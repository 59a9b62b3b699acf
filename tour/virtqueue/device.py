"""The device's side of a split ring: pop -> map -> (the device's work) -> fill -> flush -> call.

The kernel does the same in drivers/vhost/vhost.c: vhost_get_vq_desc, translate_desc, vhost_add_used_n,
vhost_signal, vhost_enable_notify. The driver is not trusted: each of its words is read once, and checked.
"""

from __future__ import annotations

from typing import ClassVar

from tour.abi.names import VRING_AVAIL_F_NO_INTERRUPT, VRING_USED_F_NO_NOTIFY, Feature
from tour.errors import RingError, RingFault
from tour.memory.table import MemoryTable
from tour.trace.events import Actor
from tour.trace.recorder import Recorder
from tour.virtqueue.chain import Chain, Mapped, Walker
from tour.virtqueue.event_idx import WRAP, need_event
from tour.virtqueue.private import Index, did
from tour.virtqueue.ring import Ring


class DeviceQueue:
    """One queue as its device keeps it. ``features`` is the acknowledged feature word.

    Begins at index 0 on a fresh ring; :meth:`attach` takes over a ring as its memory is.
    """

    ACTOR: ClassVar[Actor] = "device"
    last_avail_idx = Index()
    """Next available index to read; what VHOST_GET_VRING_BASE returns."""
    used_shadow = Index()
    """Next used index to write."""

    def __init__(self, ring: Ring, table: MemoryTable, features: int = 0, recorder: Recorder | None = None) -> None:
        self.ring = ring
        self.event_idx = Feature.VIRTIO_RING_F_EVENT_IDX.on(features)
        self.notify_on_empty = Feature.VIRTIO_F_NOTIFY_ON_EMPTY.on(features)
        self.walker = Walker(ring.index, ring.num, table, Feature.VIRTIO_RING_F_INDIRECT_DESC.on(features))
        self.kicks_wanted = True
        self.avail_seen = 0
        self.signalled_used: int | None = None
        if recorder is not None:
            ring.recorder = recorder

    def attach(self, base: int, kicks_wanted: bool = True) -> None:
        """Begin with the available entry ``base`` and the used index that memory holds, and tell the driver
        whether kicks are wanted, event idx or not.

        As vhost_vq_init_access() does when a backend socket is attached.
        """
        self.last_avail_idx = self.avail_seen = base
        self.used_shadow = self.ring.load_used_idx()
        self.signalled_used = None
        self.kicks_wanted = kicks_wanted
        self.ring.store_used_flags(0 if kicks_wanted else VRING_USED_F_NO_NOTIFY)

    # pop

    def waiting(self) -> int:
        """How many entries wait to be popped, as avail.idx says now. Raises RingError(AVAIL_JUMP)."""
        avail_idx = self.ring.load_avail_idx()  # Barrier A: acquire
        count = (avail_idx - self.last_avail_idx) % WRAP
        if count > self.ring.num:
            raise self._fault(RingFault.AVAIL_JUMP, self.last_avail_idx, avail_idx, "2.7.6")
        self.avail_seen = avail_idx
        return count

    def pop(self) -> Chain | None:
        """Take the next chain, or None when there is none. A chain that breaks a rule is not taken.

        Raises RingError; the same chain comes again with the next pop, mended or not.
        """
        if self.waiting() == 0:
            return None
        head = self.ring.read_avail_entry(self.last_avail_idx)
        if head >= self.ring.num:
            raise self._fault(RingFault.HEAD_RANGE, self.ring.slot(self.last_avail_idx), head, "2.7.6")
        chain = self.walker.chain(head, self.ring.read_desc)
        self.last_avail_idx += 1
        did(self, "pop", head=head, len=chain.readable_len)
        return chain

    def rewind(self, count: int = 1) -> None:
        """Put the last ``count`` popped chains back, untouched (the kernel's vhost_discard_vq_desc)."""
        self.last_avail_idx -= count

    # map

    def map(self, chain: Chain) -> Mapped:
        """Find the chain's buffers in this process: guest addresses to HVAs, through the memory table.

        Raises RingError(BAD_ADDRESS) and rewinds: a chain that cannot be mapped was not taken.
        """
        mapped = self._map_or_rewind(chain)
        did(self, "map", **_first(chain, mapped))
        return mapped

    def _map_or_rewind(self, chain: Chain) -> Mapped:
        try:
            return self.walker.map(chain)
        except RingError:
            self.rewind()
            raise

    # fill

    def fill(self, head: int, length: int, n: int = 0) -> None:
        """Write the ``n``-th next used element: chain ``head`` is done, ``length`` bytes were written into it.

        The driver sees it with :meth:`flush` (virtio v1.3 2.7.8).
        """
        slot = self.ring.slot(self.used_shadow + n)
        self.ring.store_used_entry(self.used_shadow + n, head, length)
        did(self, "fill", head=head, len=length, slot=slot)

    # flush

    def flush(self, count: int = 1) -> None:
        """Hand ``count`` filled elements to the driver by moving used.idx."""
        self.used_shadow += count
        self._forget_signal(count)
        self.ring.store_used_idx(self.used_shadow)  # Barrier B: release
        did(self, "flush", idx=self.used_shadow)

    def _forget_signal(self, count: int) -> None:
        # After 2^16 entries without a look the comparison of needs_call would mean nothing.
        if self.signalled_used is not None and (self.used_shadow - self.signalled_used) % WRAP < count:
            self.signalled_used = None

    # call

    def needs_call(self) -> bool:
        """Whether the driver asked to be told of what was flushed since the last call of this.

        With event idx the first one after :meth:`attach` is unconditional. Source: virtio v1.3 2.7.7.2;
        the kernel's vhost_notify().
        """
        self.ring.full_barrier()  # Barrier D: used.idx before flags or event
        if self.notify_on_empty and self.avail_seen == self.last_avail_idx:
            return True
        if not self.event_idx:
            return not self.ring.load_avail_flags() & VRING_AVAIL_F_NO_INTERRUPT
        old, self.signalled_used = self.signalled_used, self.used_shadow
        return old is None or need_event(self.ring.load_used_event(), self.used_shadow, old)

    # kicks

    def disable_kicks(self) -> None:
        """Ask for no kicks while we are looking anyway: a hint (virtio v1.3 2.7.10).

        With event idx nothing is written: avail_event just stays behind.
        """
        if not self.kicks_wanted:
            return
        self.kicks_wanted = False
        if not self.event_idx:
            self.ring.store_used_flags(VRING_USED_F_NO_NOTIFY)

    def enable_kicks(self) -> bool:
        """Ask for a kick from the next entry on. True when one slipped in meanwhile: pop again.

        The look after the barrier closes the gap in which the driver read 'no kick' and we read 'nothing
        there'. Raises RingError(AVAIL_JUMP).
        """
        if self.kicks_wanted:
            return False
        self.kicks_wanted = True
        if self.event_idx:
            self.ring.store_avail_event(self.avail_seen)
        else:
            self.ring.store_used_flags(0)
        self.ring.full_barrier()  # Barrier C: flags or event before avail.idx
        return self.waiting() > 0

    def _fault(self, reason: RingFault, index: int, value: int, clause: str) -> RingError:
        return RingError(reason, self.ring.index, index, value, f"virtio v1.3 {clause}")


def _first(chain: Chain, mapped: Mapped) -> dict[str, int]:
    """What to show of a mapping: its first buffer's guest address and HVA, and how many pieces there are."""
    buffers, spans = (*chain.readable, *chain.writable), (*mapped.readable, *mapped.writable)
    shown: dict[str, int] = {"head": chain.head, "pieces": len(spans)}
    if spans:
        shown |= {"gpa": buffers[0].gpa, "hva": spans[0].hva, "len": buffers[0].len}
    return shown
