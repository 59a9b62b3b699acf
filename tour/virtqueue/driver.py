"""The driver's side of a split ring: add -> publish -> kick, and later reap (virtio v1.3 2.7.13, 2.7.14).

A Linux guest does the same in drivers/virtio/virtio_ring.c; the verbs here are the ones of the lessons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tour.abi.names import VRING_AVAIL_F_NO_INTERRUPT, VRING_USED_F_NO_NOTIFY, Feature
from tour.errors import RingError, RingFault
from tour.trace.events import Actor
from tour.trace.recorder import Recorder
from tour.virtqueue.chain import INDIRECT, NEXT, WRITE, Walker
from tour.virtqueue.event_idx import WRAP, need_event
from tour.virtqueue.layout import DESC_SIZE
from tour.virtqueue.private import Index, did
from tour.virtqueue.ring import Desc, Ring, Used

Part = tuple[int, int]
"""(guest address, bytes) of a buffer."""


@dataclass
class InFlight:
    """A chain taken from the free list: its descriptors, how much the device may write, and the available
    index it was entered at (None while it is in no entry yet)."""

    descriptors: list[int]
    writable_len: int
    at: int | None = None


class DriverQueue:
    """One queue as its driver keeps it.

    ``features`` is the negotiated feature word, ``kick`` rings the doorbell (writes the kick eventfd).
    What the device writes is checked before it is believed: :meth:`reap` raises RingError.
    """

    ACTOR: ClassVar[Actor] = "driver"
    avail_shadow = Index()
    """Next available index to write."""
    last_used_idx = Index()
    """Next used index to read."""
    num_free = Index()
    """Descriptors that belong to no chain."""

    def __init__(
        self,
        ring: Ring,
        features: int = 0,
        recorder: Recorder | None = None,
        kick: Callable[[], object] | None = None,
    ) -> None:
        self.ring = ring
        self.event_idx = Feature.VIRTIO_RING_F_EVENT_IDX.on(features)
        self.indirect = Feature.VIRTIO_RING_F_INDIRECT_DESC.on(features)
        self.calls_wanted = True
        self.in_flight: dict[int, InFlight] = {}
        self._free = list(reversed(range(ring.num)))
        self._doorbell = kick
        self._published = 0
        self._kick_decided_at: int | None = 0
        self.num_free = ring.num
        if recorder is not None:
            ring.recorder = recorder

    # add

    def add(self, out: Sequence[Part] = (), in_: Sequence[Part] = (), indirect_at: int | None = None) -> int:
        """Offer a chain: fill its descriptors and enter its head. The device sees nothing of it yet.

        ``out`` are buffers the device reads, ``in_`` buffers it writes. Returns the head.
        """
        head = self.write_chain(out, in_, indirect_at)
        self.write_entry(head)
        return head

    def write_chain(self, out: Sequence[Part] = (), in_: Sequence[Part] = (), indirect_at: int | None = None) -> int:
        """First half of add: take descriptors from the free list and fill them (virtio v1.3 2.7.13.1).

        With ``indirect_at`` the buffers go into a table at that guest address and take one descriptor.
        Raises RingError(FULL) when the free list is too short, ValueError for a chain without buffers.
        """
        buffers = [Desc(gpa, size) for gpa, size in out] + [Desc(gpa, size, WRITE) for gpa, size in in_]
        if not buffers:
            raise ValueError("a chain needs at least one buffer")
        if indirect_at is not None:
            buffers = [self._write_table(indirect_at, buffers)]
        chain = self._take(len(buffers))
        for index, desc in zip(chain, _linked(buffers, chain), strict=True):
            self.ring.write_desc(index, desc)
        self.in_flight[chain[0]] = InFlight(chain, sum(size for _, size in in_))
        return chain[0]

    def write_entry(self, head: int) -> int:
        """Second half of add: put the chain's head into the next entry (virtio v1.3 2.7.13.2). Returns the slot."""
        slot = self.ring.slot(self.avail_shadow)
        self.ring.store_avail_entry(self.avail_shadow, head)
        self.in_flight[head].at = self.avail_shadow
        self.avail_shadow += 1
        did(self, "add", head=head, slot=slot)
        return slot

    # publish

    def publish(self) -> None:
        """Hand everything added to the device by moving one 16-bit word (virtio v1.3 2.7.13.3)."""
        self._published = self.avail_shadow
        self.ring.store_avail_idx(self.avail_shadow)  # Barrier A: release
        did(self, "publish", idx=self.avail_shadow)

    # kick

    def needs_kick(self) -> bool:
        """Whether the device asked to be told of what was published since the last call of this.

        Without the full barrier the device could go to sleep on the old avail.idx while we read its old
        'no need to kick' (virtio v1.3 2.7.10, 2.7.13.4.1).
        """
        old, self._kick_decided_at = self._kick_decided_at, self._published
        self.ring.full_barrier()  # Barrier C: avail.idx before flags or event
        if not self.event_idx:
            return not self.ring.load_used_flags() & VRING_USED_F_NO_NOTIFY
        return old is None or need_event(self.ring.load_avail_event(), self._published, old)

    def kick(self) -> None:
        """Ring the doorbell. It carries no data and names no descriptor. Raises ValueError without one."""
        if self._doorbell is None:
            raise ValueError("this queue was given no doorbell to kick")
        self._doorbell()

    # reap

    def reap(self) -> Used | None:
        """Take back one chain the device is done with, or None. ``len`` is what the device wrote.

        Raises RingError for a used.idx (USED_JUMP), head (NOT_OUTSTANDING) or length (USED_LENGTH) that
        cannot be; then nothing is taken. Source: virtio v1.3 2.7.14, 2.7.8.
        """
        used_idx = self.ring.load_used_idx()  # Barrier B: acquire
        waiting = (used_idx - self.last_used_idx) % WRAP
        if waiting == 0:
            return None
        if waiting > (self._published - self.last_used_idx) % WRAP:
            raise self._fault(RingFault.USED_JUMP, self.last_used_idx, used_idx)
        used = self._checked(self.ring.read_used_entry(self.last_used_idx))
        self._give_back(self.in_flight.pop(used.head).descriptors)
        self.last_used_idx += 1
        did(self, "reap", head=used.head, len=used.len)
        if self.event_idx and self.calls_wanted:
            self.ring.store_used_event(self.last_used_idx)
            self.ring.full_barrier()  # Barrier D: used_event before the next look at used.idx
        return used

    def disable_calls(self) -> None:
        """Ask for no calls: a hint, calls may still come (virtio v1.3 2.7.7).

        With event idx nothing is written: used_event just stays behind.
        """
        self.calls_wanted = False
        if not self.event_idx:
            self.ring.store_avail_flags(VRING_AVAIL_F_NO_INTERRUPT)

    def enable_calls(self) -> bool:
        """Ask for a call from the next used entry on. True when one slipped in meanwhile: reap again."""
        self.calls_wanted = True
        if self.event_idx:
            self.ring.store_used_event(self.last_used_idx)
        else:
            self.ring.store_avail_flags(0)
        self.ring.full_barrier()  # Barrier D: flags or event before used.idx
        return self.ring.load_used_idx() != self.last_used_idx

    # Taking over a ring.

    def set_base(self, idx: int) -> None:
        """Begin at ``idx`` with an empty ring, both indices in memory included. No device may be attached."""
        self.ring.write_base(idx)
        self.restore(idx, idx, ())
        if self.event_idx:
            self.ring.store_used_event(idx)

    def restore(self, avail_shadow: int, last_used_idx: int, in_flight: Iterable[int]) -> None:
        """Go on with a ring whose memory is already as another driver left it (a fork).

        ``in_flight`` are the heads of chains not reaped; what they are is read from the table.
        Raises RingError when that breaks the ring's rules.
        """
        self.avail_shadow, self.last_used_idx = avail_shadow, last_used_idx
        self._published = self.ring.load_avail_idx()
        self._kick_decided_at = None
        self.in_flight = {head: self._read_back(head) for head in in_flight}
        for idx in range(self._published, self._published + (avail_shadow - self._published) % WRAP):
            self.in_flight[self.ring.read_avail_entry(idx)].at = idx % WRAP
        taken = {index for chain in self.in_flight.values() for index in chain.descriptors}
        self._free = [index for index in reversed(range(self.ring.num)) if index not in taken]
        self.num_free = len(self._free)

    def _read_back(self, head: int) -> InFlight:
        """A chain of ours as it stands in memory, taken for published."""
        walker = Walker(self.ring.index, self.ring.num, self.ring.memory, self.indirect)
        descriptors = [index for index, _ in walker.follow(head, self.ring.num, self.ring.read_desc)]
        writable = walker.chain(head, self.ring.read_desc).writable_len
        return InFlight(descriptors, writable, (self._published - 1) % WRAP)

    # The free list.

    def _take(self, count: int) -> list[int]:
        if count > len(self._free):
            raise self._fault(RingFault.FULL, count, len(self._free))
        chain = [self._free.pop() for _ in range(count)]
        self.num_free = len(self._free)
        return chain

    def _give_back(self, chain: list[int]) -> None:
        # Last in, first out, as Linux does: the descriptors in use stay few and warm.
        self._free.extend(reversed(chain))
        self.num_free = len(self._free)

    def _write_table(self, gpa: int, buffers: list[Desc]) -> Desc:
        """Fill an indirect table at ``gpa``; returns the one descriptor that names it (virtio v1.3 2.7.5.3)."""
        if not self.indirect:
            raise ValueError("INDIRECT_DESC was not negotiated")
        for i, desc in enumerate(_linked(buffers, list(range(len(buffers))))):
            self.ring.write_table(gpa, i, desc)
        return Desc(gpa, DESC_SIZE * len(buffers), INDIRECT)

    # The device's numbers.

    def _checked(self, used: Used) -> Used:
        """A used element whose head is outstanding and whose length fits the chain."""
        chain = self.in_flight.get(used.head)
        if chain is None or chain.at is None or not 0 < (self._published - chain.at) % WRAP <= WRAP // 2:
            raise self._fault(RingFault.NOT_OUTSTANDING, self.ring.slot(self.last_used_idx), used.head)
        if used.len > chain.writable_len:
            raise self._fault(RingFault.USED_LENGTH, used.head, used.len)
        return used

    def _fault(self, reason: RingFault, index: int, value: int) -> RingError:
        return RingError(reason, self.ring.index, index, value, "virtio v1.3 2.7.8")


def _linked(buffers: list[Desc], chain: list[int]) -> list[Desc]:
    """The same descriptors, each but the last pointing to the next with NEXT."""
    following = chain[1:]
    linked = [
        desc._replace(flags=desc.flags | NEXT, next=index) for desc, index in zip(buffers, following, strict=False)
    ]
    return [*linked, buffers[-1]]
