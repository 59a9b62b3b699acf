"""Mistakes that real drivers and devices have made, each a switch: the same queue with one rule broken.

``FaultyDriver`` and ``FaultyDevice`` with no switch on are ``DriverQueue`` and ``DeviceQueue`` to the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Self

from tour.abi.names import VRING_AVAIL_F_NO_INTERRUPT, VRING_USED_F_NO_NOTIFY
from tour.memory.table import MemoryTable
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.event_idx import WRAP
from tour.virtqueue.private import did
from tour.virtqueue.ring import Ring, Used


class DriverFault(StrEnum):
    """What a driver may do wrong; the value is the switch's name."""

    KICK_EQUALITY = "kick-equality"
    """Kick only when the entry just published is the very one asked for, instead of testing whether the index has
    passed it (virtio v1.3 2.7.10)."""
    KICK_BARRIER = "kick-barrier"
    """No full barrier between publishing and looking whether a kick is wanted (virtio v1.3 2.7.13.4.1)."""
    KICK_FLAGS = "kick-flags"
    """Takes its own avail.flags (about calls) for the device's used.flags (about kicks)."""
    STALE_USED_EVENT = "stale-used-event"
    """Never writes used_event: with event idx the device goes on as asked long ago (virtio v1.3 2.7.7)."""
    PUBLISH_FIRST = "publish-first"
    """Moves avail.idx before the entry it publishes is written (virtio v1.3 2.7.13.3)."""
    IDX_MODULO = "idx-modulo"
    """Takes avail.idx for a slot: it goes back to 0 at the queue size (virtio v1.3 2.7.6)."""
    FREE_EARLY = "free-early"
    """Takes descriptors for free again as soon as they are published (virtio v1.3 2.7.14)."""


class DeviceFault(StrEnum):
    """What a device may do wrong; the value is the switch's name."""

    CALL_EQUALITY = "call-equality"
    """Calls only when the entry just completed is the very one asked for (virtio v1.3 2.7.7.2)."""
    CALL_BARRIER = "call-barrier"
    """No full barrier between moving used.idx and looking whether a call is wanted."""
    CALL_FLAGS = "call-flags"
    """Takes its own used.flags (about kicks) for the driver's avail.flags (about calls)."""
    STALE_AVAIL_EVENT = "stale-avail-event"
    """Never writes avail_event: with event idx the driver goes on as asked long ago (virtio v1.3 2.7.10)."""
    NO_SECOND_LOOK = "no-second-look"
    """Asks for kicks and sleeps without looking at avail.idx once more."""
    FLUSH_FIRST = "flush-first"
    """Moves used.idx before the entry it hands over is written (virtio v1.3 2.7.8)."""


class FaultyDriver(DriverQueue):
    """A driver's queue in which each of ``faults`` is done wrong."""

    faults: set[DriverFault]

    @classmethod
    def of(cls, queue: DriverQueue) -> Self:
        """The same queue as it stands, from now on with switches, none of them on."""
        twin = cls.__new__(cls)
        twin.__dict__.update(queue.__dict__)
        twin.faults = set()
        return twin

    def write_entry(self, head: int) -> int:
        """See ``DriverQueue``."""
        if DriverFault.PUBLISH_FIRST in self.faults:
            self._published = (self.avail_shadow + 1) % WRAP
            self.ring.store_avail_idx(self._published)
        return super().write_entry(head)

    def publish(self) -> None:
        """See ``DriverQueue``."""
        if DriverFault.IDX_MODULO in self.faults:
            self.ring.store_avail_idx(self.avail_shadow % self.ring.num)
            self._published = self.avail_shadow
            did(self, "publish", idx=self.avail_shadow % self.ring.num)
        else:
            super().publish()
        if DriverFault.FREE_EARLY in self.faults:
            self._give_back(list(range(self.ring.num)))

    def _give_back(self, chain: list[int]) -> None:
        # Freed early, a descriptor comes back a second time when it is reaped.
        super()._give_back([index for index in chain if index not in self._free])

    def needs_kick(self) -> bool:
        """See ``DriverQueue``."""
        if not self.faults & {DriverFault.KICK_EQUALITY, DriverFault.KICK_BARRIER, DriverFault.KICK_FLAGS}:
            return super().needs_kick()
        self._kick_decided_at = self._published
        if DriverFault.KICK_BARRIER not in self.faults:
            self.ring.full_barrier()
        if DriverFault.KICK_FLAGS in self.faults:
            return not self.ring.load_avail_flags() & VRING_USED_F_NO_NOTIFY
        if self.event_idx:
            return self.ring.load_avail_event() == (self._published - 1) % WRAP
        return not self.ring.load_used_flags() & VRING_USED_F_NO_NOTIFY

    def reap(self) -> Used | None:
        """See ``DriverQueue``."""
        if DriverFault.STALE_USED_EVENT not in self.faults:
            return super().reap()
        wanted, self.calls_wanted = self.calls_wanted, False
        try:
            return super().reap()
        finally:
            self.calls_wanted = wanted


class FaultyDevice(DeviceQueue):
    """A device's queue in which each of ``faults`` is done wrong; set by whoever makes it."""

    faults: Collection[DeviceFault] = ()

    @classmethod
    def with_faults(cls, faults: Collection[DeviceFault]) -> Callable[[Ring, MemoryTable, int], DeviceQueue]:
        """What makes such queues; ``faults`` may change later, and is looked at anew each time."""

        def make(ring: Ring, table: MemoryTable, features: int) -> DeviceQueue:
            queue = cls(ring, table, features)
            queue.faults = faults
            return queue

        return make

    def fill(self, head: int, length: int, n: int = 0) -> None:
        """See ``DeviceQueue``."""
        if DeviceFault.FLUSH_FIRST in self.faults:
            self.ring.store_used_idx((self.used_shadow + n + 1) % WRAP)
        super().fill(head, length, n)

    def needs_call(self) -> bool:
        """See ``DeviceQueue``."""
        if not set(self.faults) & {DeviceFault.CALL_EQUALITY, DeviceFault.CALL_BARRIER, DeviceFault.CALL_FLAGS}:
            return super().needs_call()
        self.signalled_used = self.used_shadow
        if DeviceFault.CALL_BARRIER not in self.faults:
            self.ring.full_barrier()
        if DeviceFault.CALL_FLAGS in self.faults:
            return not self.ring.load_used_flags() & VRING_AVAIL_F_NO_INTERRUPT
        if self.event_idx:
            return self.ring.load_used_event() == (self.used_shadow - 1) % WRAP
        return not self.ring.load_avail_flags() & VRING_AVAIL_F_NO_INTERRUPT

    def enable_kicks(self) -> bool:
        """See ``DeviceQueue``."""
        if DeviceFault.STALE_AVAIL_EVENT in self.faults and self.event_idx:
            self.kicks_wanted = True
            return False
        if DeviceFault.NO_SECOND_LOOK not in self.faults:
            return super().enable_kicks()
        super().enable_kicks()
        return False
