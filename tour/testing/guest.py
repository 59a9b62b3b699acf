"""A guest on a bench: drivers for both rings, doorbells, a tap with a far end; what the behaviour cases use."""

from __future__ import annotations

import os
from typing import Any

from tour.abi.names import Feature
from tour.device.contract import RX, TX, RingAddresses
from tour.device.fdinfo import eventfd_count
from tour.device.observer import RingObserver
from tour.testing.bench import BUFFERS, FEATURES, RING_GPA, Bench
from tour.testing.tap import ETHERTYPE, FarEnd
from tour.trace.recorder import Recorder
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Desc, Ring

HEADER = bytes(12)
TX_BUFFER = BUFFERS
RX_BUFFER = BUFFERS + 0x40000
RX_SIZE = 2048
TABLE = BUFFERS + 0x30000
"""Where indirect tables go."""
NOWHERE = 0x30000
"""A guest address in the hole between the regions."""
EVENT_IDX = FEATURES | Feature.VIRTIO_RING_F_EVENT_IDX.mask
INDIRECT = FEATURES | Feature.VIRTIO_RING_F_INDIRECT_DESC.mask
PLAIN = Feature.VIRTIO_F_VERSION_1.mask


def frame(tag: int = 0, size: int = 60) -> bytes:
    """An Ethernet frame of our EtherType, broadcast, told apart by ``tag``."""
    head = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + ETHERTYPE.to_bytes(2, "big")
    return head + bytes((tag + i) % 256 for i in range(size - len(head)))


class Guest:
    """Both rings set up and attached to one tap. ``base`` is where their indices begin."""

    def __init__(
        self, bench: Bench, features: int = FEATURES, num: int = 8, base: int = 0, tap: FarEnd | None = None
    ) -> None:
        self.bench, self.features, self.num = bench, features, num
        self.device = bench.device
        self.tap: FarEnd = tap or bench.tap()
        self.tap.far.setblocking(False)
        self.device.set_owner()
        self.set_up(base)

    def set_up(self, base: int = 0) -> None:
        """Everything after set_owner, for both rings; lets the rings come to rest."""
        self.device.set_features(self.features)
        self.device.set_mem_table(self.bench.table)
        self.fds = {index: {name: self.bench.eventfd() for name in ("kick", "call", "err")} for index in (RX, TX)}
        self.rings = {index: self._ring(index) for index in (RX, TX)}
        self.rx, self.tx = (DriverQueue(self.rings[index], self.features) for index in (RX, TX))
        for queue in (self.rx, self.tx):
            queue.set_base(base)
            queue.ring.store_used_event(base)
        for index in (RX, TX):
            self._tell(index, base)
        self.observers = {index: self._observer(index) for index in (RX, TX)}
        for index in (RX, TX):
            self.device.net_set_backend(index, self.tap.fd)
            self.settle(index)

    def _ring(self, index: int) -> Ring:
        gpa = RING_GPA[index]
        return Ring(self.bench.memory, RingLayout(self.num, gpa, gpa + 16 * self.num, gpa + 0x4000), index)

    def _tell(self, index: int, base: int) -> None:
        self.device.set_vring_num(index, self.num)
        self.device.set_vring_base(index, base)
        self.device.set_vring_addr(index, self.addresses(index))
        self.device.set_vring_kick(index, self.fds[index]["kick"])
        self.device.set_vring_call(index, self.fds[index]["call"])
        self.device.set_vring_err(index, self.fds[index]["err"])

    def addresses(self, index: int, flags: int = 0) -> RingAddresses:
        """The ring's addresses as set_vring_addr wants them, the log address included."""
        place = self.rings[index].hva
        return RingAddresses(place.desc, place.avail, place.used, self.rings[index].gpa.used, flags)

    def _observer(self, index: int) -> RingObserver:
        return RingObserver(self.device, self.rings[index], self.fds[index], Recorder(), self.tap.fd)

    # --- the driver's side ---

    def kick(self, index: int) -> None:
        """Ring the kick doorbell, wanted or not."""
        os.eventfd_write(self.fds[index]["kick"], 1)

    def put(self, gpa: int, data: bytes) -> tuple[int, int]:
        """Write bytes into guest memory; returns the buffer."""
        self.bench.memory.write(gpa, data)
        return gpa, len(data)

    def offer(self, *tags: int, size: int = 60) -> list[int]:
        """Add one TX chain a tag, header and frame in one buffer; published, not kicked. Returns the heads."""
        parts = [self.put(TX_BUFFER + 2048 * n, HEADER + frame(tag, size)) for n, tag in enumerate(tags)]
        heads = [self.tx.add(out=[part]) for part in parts]
        self.tx.publish()
        return heads

    def send(self, *tags: int, size: int = 60) -> str:
        """Offer, kick, and let the ring come to rest; returns how it did."""
        self.offer(*tags, size=size)
        self.kick(TX)
        return self.settle(TX)

    def provide(self, count: int, size: int = RX_SIZE) -> list[int]:
        """Add ``count`` RX buffers, publish and kick."""
        used = self.num - self.rx.num_free
        heads = [self.rx.add(in_=[(RX_BUFFER + RX_SIZE * (used + n), size)]) for n in range(count)]
        self.rx.publish()
        self.kick(RX)
        return heads

    def settle(self, index: int) -> str:
        """Wait until the ring has come to rest; how it did."""
        return self.observers[index].wait_quiescent()

    # --- the far end ---

    def arrive(self, *frames: bytes) -> str:
        """Frames come in from the network; wait until the receive ring has come to rest."""
        for one in frames:
            self.tap.far.send(one)
        return self.settle(RX)

    def seen(self, count: int) -> list[int]:
        """Tags of the frames that came out of the guest; asks for one more than ``count`` to see there is none."""
        got = self.tap.frames(count) + self.tap.frames(1, 0.05)
        return [one[14] for one in got]

    # --- what became of it ---

    def reaped(self, index: int) -> list[list[int]]:
        """[head, len] of all chains that came back, in order."""
        queue = self.rx if index == RX else self.tx
        done = []
        while (used := queue.reap()) is not None:
            done.append([used.head, used.len])
        return done

    def count(self, index: int, name: str) -> int:
        """How often that doorbell was rung."""
        return eventfd_count(self.fds[index][name])

    def received(self, head: int, length: int) -> str:
        """Hex of what lies in the RX buffer that ``head`` names."""
        return self.bench.memory.read(self.rings[RX].read_desc(head).addr, length).hex()

    def state(self, index: int) -> dict[str, Any]:
        """Indices, flags and whether doorbells rang: the part of a ring's state that is the same on any device."""
        ring = self.rings[index]
        return {
            "base": self.device.get_vring_base(index),
            "used_idx": ring.load_used_idx(),
            "used_flags": ring.load_used_flags(),
            "called": self.count(index, "call") > 0,
            "erred": self.count(index, "err") > 0,
        }

    def write_desc(self, index: int, number: int, desc: Desc) -> None:
        """Write a descriptor behind the driver's back."""
        self.rings[index].write_desc(number, desc)

    def publish_head(self, index: int, head: int) -> None:
        """Publish any number as a head, and kick."""
        ring = self.rings[index]
        at = ring.load_avail_idx()
        ring.store_avail_entry(at, head)
        ring.store_avail_idx((at + 1) & 0xFFFF)
        self.kick(index)
