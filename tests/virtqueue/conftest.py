"""A ring in guest memory with both its sides: what the tests here play with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tour.memory.guest import GuestMemory
from tour.trace.events import Event
from tour.trace.recorder import Recorder
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import RingLayout, plan
from tour.virtqueue.ring import Ring

BASE, BUFFERS = 0x1000, 0x400000


@dataclass
class Pair:
    """Both sides of one queue, the events they made and the kicks that were rung."""

    memory: GuestMemory
    ring: Ring
    driver: DriverQueue
    device: DeviceQueue
    events: list[Event] = field(default_factory=list)
    kicks: list[int] = field(default_factory=list)

    def carry(self, length: int = 0) -> int:
        """One chain from pop to reap; returns its head."""
        chain = self.device.pop()
        assert chain is not None
        self.device.fill(chain.head, length)
        self.device.flush()
        used = self.driver.reap()
        assert used is not None and used == (chain.head, length)
        return chain.head


def pair(memory: GuestMemory, num: int = 8, features: int = 0, record: bool = False, base: int = 0) -> Pair:
    """A queue of ``num`` descriptors, both sides at index ``base``; every side has a view of its own."""
    layout = plan(num, BASE)
    ring, events, kicks = Ring(memory, layout, 1), list[Event](), list[int]()
    recorder = Recorder(events.append) if record else None
    driver = DriverQueue(ring, features, recorder, kick=lambda: kicks.append(1))
    driver.set_base(base)
    translate = memory.translate
    places = RingLayout(
        num,
        translate(layout.desc, layout.desc_size),
        translate(layout.avail, layout.avail_size),
        translate(layout.used, layout.used_size),
    )
    device = DeviceQueue(Ring.at(places, memory.table, 1), memory.table, features, recorder)
    device.attach(base)
    events.clear()
    return Pair(memory, ring, driver, device, events, kicks)


Make = Callable[..., Pair]


@pytest.fixture
def memory() -> Iterator[GuestMemory]:
    with GuestMemory([(0, 0x200000), (BUFFERS, 0x100000)]) as guest:
        yield guest


@pytest.fixture
def make(memory: GuestMemory) -> Make:
    return lambda num=8, features=0, record=False, base=0: pair(memory, num, features, record, base)
