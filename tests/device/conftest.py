"""A running embedded device on a socketpair port, with both sides of both rings and every event."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support import wait_until
from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, RingAddresses
from tour.device.embedded import EmbeddedDevice
from tour.device.fdinfo import eventfd_count
from tour.memory.guest import GuestMemory
from tour.net.socketpair import SocketpairPort
from tour.trace.events import AnyPayload, Event
from tour.trace.recorder import Recorder
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring

FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
RING_AT = {RX: 0x1000, TX: 0x8000}
BUFFER = 0x40000
ARP = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0002010000000000000a000202")


class Stand:
    """An embedded device, its memory, doorbells and drivers; attached by ``start``."""

    def __init__(self, stack: ExitStack, **how: Any) -> None:
        self.events: list[Event] = []
        self.recorder = Recorder(self.events.append)
        self.memory = stack.enter_context(GuestMemory([(0, 0x20000), (BUFFER, 0x80000)]))
        self.port = stack.enter_context(SocketpairPort())
        self.device = EmbeddedDevice(self.recorder, **how)
        stack.callback(self.device.close)
        self.fds = {
            index: {name: os.eventfd(0, os.EFD_NONBLOCK) for name in ("kick", "call", "err")} for index in (0, 1)
        }
        for fds in self.fds.values():
            for fd in fds.values():
                stack.callback(os.close, fd)
        self.rings = {index: Ring(self.memory, plan(8, RING_AT[index]), index) for index in (RX, TX)}
        self.rx, self.tx = (DriverQueue(self.rings[index], FEATURES) for index in (RX, TX))

    def start(self, *indices: int, features: int = FEATURES) -> None:
        """All calls from set_owner to start."""
        self.device.set_owner()
        self.device.set_features(features)
        self.device.set_mem_table(self.memory.table)
        for index in indices or (RX, TX):
            place, fds = self.rings[index].hva, self.fds[index]
            self.device.set_vring_num(index, 8)
            self.device.set_vring_addr(index, RingAddresses(place.desc, place.avail, place.used))
            self.device.set_vring_kick(index, fds["kick"])
            self.device.set_vring_call(index, fds["call"])
            self.device.set_vring_err(index, fds["err"])
            self.device.start(index, self.port)
        self.rest()

    def rest(self) -> None:
        """Wait until the worker has nothing to do."""
        wait_until(self.device.asleep, "the worker to sleep")

    def kick(self, index: int = TX) -> None:
        """Ring the doorbell."""
        os.eventfd_write(self.fds[index]["kick"], 1)

    def send(self, data: bytes = bytes(12) + ARP) -> int:
        """One chain out, published and kicked; the head."""
        self.memory.write(BUFFER, data)
        head = self.tx.add(out=[(BUFFER, len(data))])
        self.tx.publish()
        self.kick()
        return head

    def provide(self, count: int = 4) -> None:
        """RX buffers."""
        for n in range(count):
            self.rx.add(in_=[(BUFFER + 0x10000 + 2048 * n, 2048)])
        self.rx.publish()
        self.kick(RX)

    def count(self, index: int, name: str) -> int:
        """A doorbell's counter."""
        return eventfd_count(self.fds[index][name])

    def used(self, index: int, idx: int) -> None:
        """Wait for used.idx."""
        wait_until(lambda: self.rings[index].load_used_idx() == idx, f"used.idx {idx} of ring {index}")

    def of(self, kind: type[AnyPayload]) -> list[Any]:
        """Payloads of one kind."""
        return [event.data for event in self.events if isinstance(event.data, kind)]


Make = Callable[..., Stand]


both_gears = pytest.mark.parametrize("gear", ["python", "engine"], indirect=True)
"""For what holds however the rings are turned."""


@pytest.fixture
def gear(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "python")


@pytest.fixture
def make(gear: str) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda **how: Stand(stack, **{"gear": gear, **how})
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("vhost-")]
    assert not left, f"workers left behind: {left}"


@pytest.fixture
def stand(make: Make) -> Stand:
    return make()
