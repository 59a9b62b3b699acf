"""A network device and its driver, built part by part in front of the learner: memory, rings, doorbells, tap.

In this course one process plays two parts: 'you, as QEMU' makes the ioctls (actor control), 'you, as guest'
writes the rings (actor driver).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from tour.abi.names import Feature
from tour.device.contract import RX, TX, RingAddresses
from tour.device.observer import RingObserver
from tour.memory.guest import GuestMemory, RegionSpec
from tour.scene.choose import Chosen
from tour.scene.doorbells import Bells
from tour.scene.restore import RingPoint, free_list, offered_since, restore_memory
from tour.scene.traffic import Traffic
from tour.trace import events as ev
from tour.trace.recorder import Recorder, here
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring

LOW = RegionSpec(0x0, 0x20000)
HIGH = RegionSpec(0x40000, 0x80000)
RING_AT = {TX: 0x1000, RX: 0x8000}
TX_BUFFER = 0x40000
RX_BUFFERS = 0x80000
RX_BUFFER_SIZE = 2048
RING_SIZE = 8
FEATURES = Feature.VIRTIO_F_VERSION_1.mask | Feature.VIRTIO_NET_F_MRG_RXBUF.mask
SETTLE_SECONDS = 5.0


class Plan(NamedTuple):
    """What a fork may change: the TX ring's size and the index it begins at."""

    num: int = RING_SIZE
    base: int = 0


class Nic:
    """Everything of one queue pair. Build with ``set_up`` or ``set_up_from``; ``close`` takes it down."""

    def __init__(self, recorder: Recorder, chosen: Chosen, plan_: Plan) -> None:
        self.recorder = recorder
        self.port = chosen.port
        self.plan = plan_
        self.baton = threading.Lock()
        with ExitStack() as stack:
            stack.callback(self.port.close)
            self.traffic = Traffic(self.port, recorder)
            stack.callback(self.traffic.close)
            self.memory = stack.enter_context(GuestMemory([LOW, HIGH]))
            self.device = chosen.make_device(recorder, self.baton)
            self.bells = {index: Bells(index, recorder, self.baton) for index in (RX, TX)}
            for bells in self.bells.values():
                stack.callback(bells.close)
            stack.callback(self.device.close)
            self.rings = {RX: self._ring(RX, RING_SIZE), TX: self._ring(TX, plan_.num)}
            self.tx = self._driver(TX)
            self.rx = self._driver(RX)
            self.stack = stack.pop_all()
        self.observers: dict[int, RingObserver] = {}
        self.head = 0
        self.received = 0

    def _ring(self, index: int, num: int) -> Ring:
        ring = Ring(self.memory, plan(num, RING_AT[index]), index)
        ring.recorder = self.recorder
        return ring

    def _driver(self, index: int) -> DriverQueue:
        return DriverQueue(self.rings[index], FEATURES, kick=self.bells[index].kick)

    # --- set-up: you, as QEMU -----------------------------------------------------------------------------

    def set_up(self) -> None:
        """All of lessons 2 to 7: memory, doorbells, the device's ioctls, RX buffers, the backend socket."""
        self._lay_out()
        if self.plan.base:
            self.tx.set_base(self.plan.base)
        self._tell_device({RX: 0, TX: self.plan.base})
        self._fill_rx()
        self._attach()

    def set_up_from(self, image: Sequence[tuple[int, str]], points: Sequence[RingPoint]) -> None:
        """The same, going on from the memory and the indices of a moment of the past."""
        self._lay_out()
        bases = {point.queue: point.last_avail_idx for point in points}
        before, offered = offered_since(self.rings[TX], bases[TX], image)
        restore_memory(self.memory, self.rings.values(), before, self.recorder)
        self.received = self.rings[RX].load_used_idx()
        for point in points:
            self.bells[point.queue].put_calls(point.calls)
        self._tell_device(bases)
        self._attach()
        restore_memory(self.memory, self.rings.values(), offered, self.recorder)
        for point in points:
            queue = self.tx if point.queue == TX else self.rx
            queue.restore(point.avail_shadow, point.last_used_idx, point.in_flight)
            free_list(queue.ring, point, image, self.recorder)

    def _lay_out(self) -> None:
        for number, region in enumerate(self.memory.regions):
            data = ev.Region(number, region.gpa, region.size, region.hva, region.fd, region.offset)
            self.recorder.emit(data, actor="control")
        for index, ring in self.rings.items():
            place = ring.gpa
            data_place = ev.RingPlace(index, ring.num, place.desc, place.avail, place.used)
            self.recorder.emit(data_place, actor="driver")
        for bells in self.bells.values():
            bells.make()

    def _tell_device(self, bases: dict[int, int]) -> None:
        device = self.device
        device.get_features()
        device.set_owner()
        device.set_features(FEATURES)
        device.set_mem_table(self.memory.table)
        for index, ring in self.rings.items():
            fds = self.bells[index].fds
            device.set_vring_num(index, ring.num)
            device.set_vring_base(index, bases[index])
            device.set_vring_addr(index, RingAddresses(ring.hva.desc, ring.hva.avail, ring.hva.used))
            device.set_vring_kick(index, fds["kick"])
            device.set_vring_call(index, fds["call"])
            device.set_vring_err(index, fds["err"])

    def _fill_rx(self) -> None:
        """You, as guest: a device has no buffers of its own, so the driver offers some to receive into."""
        for number in range(RING_SIZE):
            head = self.rx.write_chain([], [(RX_BUFFERS + number * RX_BUFFER_SIZE, RX_BUFFER_SIZE)])
            self.rx.write_entry(head)
        self.rx.publish()

    def _attach(self) -> None:
        for index in (RX, TX):
            fds = self.bells[index].fds
            self.observers[index] = RingObserver(self.device, self.rings[index], fds, self.recorder, self.port.fileno())
            self.device.start(index, self.port)
        self.settle(RX, TX)

    # --- what scenes use ----------------------------------------------------------------------------------

    def write_buffer(self, gpa: int, data: bytes, what: str) -> None:
        """The driver writes bytes of a packet into guest memory."""
        before = self.memory.read(gpa, len(data))
        self.memory.write(gpa, data)
        after = self.memory.read(gpa, len(data))
        self.recorder.emit(ev.Write(TX, gpa, before.hex(), after.hex(), what), actor="driver", frame=here(), above=2)

    def settle(self, *indices: int) -> str:
        """Look until the queues rest; returns the condition the step ended on (``quiescent``, ``still``, errno)."""
        ended = "quiescent"
        for index in indices:
            condition = self.observers[index].wait_quiescent(SETTLE_SECONDS)
            ended = condition if condition != "quiescent" else ended
        self.observers[TX].look_at_worker()
        self.traffic.look()
        if self.device.kind == "kernel":
            self._show_received()
        return ended

    def _show_received(self) -> None:
        """What the kernel wrote into RX buffers, read from memory once their used entries are there."""
        ring = self.rings[RX]
        while self.received != ring.load_used_idx():
            used = ring.read_used_entry(self.received)
            gpa = ring.read_desc(used.head % ring.num).addr
            data = self.memory.read(gpa, min(used.len, RX_BUFFER_SIZE))
            seen = ev.Write(RX, gpa, "", data.hex(), "buffer")
            self.recorder.emit(seen, actor="device", source="observer", inferred=True)
            self.received = (self.received + 1) & 0xFFFF

    def wait_only(self, _: Nic) -> str:
        """In place of an action that was left out: look, for as long as nothing moves."""
        return self.settle(TX)

    def close(self) -> None:
        """Stop the device, close every descriptor, take the port down."""
        self.stack.close()
