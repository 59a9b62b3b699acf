"""Each switch does the wrong thing that it names; with none on, nothing is different."""

from __future__ import annotations

import random

import pytest

from tests.virtqueue.conftest import BUFFERS, Pair, pair
from tour.abi.names import Feature
from tour.memory.guest import GuestMemory
from tour.trace.events import Store
from tour.virtqueue.faults import DeviceFault, DriverFault, FaultyDevice, FaultyDriver

EVENT_IDX = Feature.VIRTIO_RING_F_EVENT_IDX.mask


def broken(
    memory: GuestMemory, features: int = 0, driver: tuple[DriverFault, ...] = (), device: tuple[DeviceFault, ...] = ()
) -> tuple[Pair, FaultyDriver, FaultyDevice]:
    both = pair(memory, 8, features, record=True)
    left = FaultyDriver.of(both.driver)
    left.faults.update(driver)
    right = FaultyDevice(both.device.ring, memory.table, features)
    right.attach(0)
    right.faults = device
    both.driver, both.device = left, right
    both.events.clear()
    return both, left, right


def stored(both: Pair, field: str) -> list[int]:
    return [event.data.new[0] for event in both.events if isinstance(event.data, Store) and event.data.field == field]


def offer(driver: FaultyDriver, count: int = 1) -> None:
    for number in range(count):
        driver.add([(BUFFERS + 0x1000 * number, 64)])
    driver.publish()


@pytest.mark.parametrize("features", [0, EVENT_IDX])
def test_with_no_switch_on_every_word_is_the_same(memory: GuestMemory, features: int) -> None:
    chance = random.Random(5)
    told: list[list[tuple[str, list[int]]]] = []
    for faulty in (False, True):
        chance.seed(5)
        both = pair(memory, 8, features, record=True)
        if faulty:
            both.driver = FaultyDriver.of(both.driver)
            both.device = FaultyDevice(both.device.ring, memory.table, features)
            both.device.attach(0)
            both.events.clear()
        for _ in range(40):
            both.driver.add([(BUFFERS, chance.randrange(1, 100))])
            both.driver.publish()
            both.driver.needs_kick()
            both.carry()
            both.device.needs_call()
        told.append([(e.data.field, e.data.new) for e in both.events if isinstance(e.data, Store)])
    assert told[0] == told[1]


def test_equality_misses_a_kick_that_the_window_test_gives(memory: GuestMemory) -> None:
    both, driver, device = broken(memory, EVENT_IDX)
    device.ring.store_avail_event(0)
    offer(driver, 3)
    assert driver.needs_kick(), "0 was passed"
    both, driver, device = broken(memory, EVENT_IDX, (DriverFault.KICK_EQUALITY,))
    device.ring.store_avail_event(0)
    offer(driver, 3)
    assert not driver.needs_kick(), "2 is not 0"
    both, driver, device = broken(memory, EVENT_IDX, (DriverFault.KICK_EQUALITY,))
    offer(driver)
    assert driver.needs_kick(), "one at a time it looks right"


def test_equality_misses_a_call_in_a_batch(memory: GuestMemory) -> None:
    for faults, wanted in (((), True), ((DeviceFault.CALL_EQUALITY,), False)):
        both, driver, device = broken(memory, EVENT_IDX, device=faults)
        device.signalled_used = 0
        offer(driver, 3)
        for n in range(3):
            chain = device.pop()
            assert chain is not None
            device.fill(chain.head, 0, n)
        device.flush(3)
        assert device.needs_call() is wanted


def test_its_own_flags_in_place_of_the_other_side_s(memory: GuestMemory) -> None:
    both, driver, device = broken(memory, 0, (DriverFault.KICK_FLAGS,), (DeviceFault.CALL_FLAGS,))
    driver.disable_calls()
    offer(driver)
    assert not driver.needs_kick(), "calls off was taken for no kicks"
    device.disable_kicks()
    assert not device.needs_call()
    driver.faults.clear()
    device.faults = ()
    driver.enable_calls()
    assert not driver.needs_kick() and device.needs_call()


def test_used_event_and_avail_event_stand_still(memory: GuestMemory) -> None:
    faults = (DriverFault.STALE_USED_EVENT,), (DeviceFault.STALE_AVAIL_EVENT,)
    both, driver, device = broken(memory, EVENT_IDX, *faults)
    offer(driver)
    device.disable_kicks()
    both.carry()
    assert not device.enable_kicks()
    assert stored(both, "avail.used_event") == [] and stored(both, "used.avail_event") == []
    assert driver.calls_wanted, "it still believes that it asked"


def test_an_index_moves_before_its_entry(memory: GuestMemory) -> None:
    both, driver, device = broken(memory, 0, (DriverFault.PUBLISH_FIRST,), (DeviceFault.FLUSH_FIRST,))
    driver.add([(BUFFERS, 64)])
    chain = device.pop()
    assert chain is not None
    device.fill(chain.head, 0)
    order = [event.data.field for event in both.events if isinstance(event.data, Store)]
    assert order.index("avail.idx") < order.index("avail.ring[0]")
    both, driver, device = broken(memory, 0, (), (DeviceFault.FLUSH_FIRST,))
    device.ring.recorder = driver.ring.recorder
    offer(driver)
    chain = device.pop()
    assert chain is not None
    device.fill(chain.head, 0)
    order = [event.data.field for event in both.events if isinstance(event.data, Store)]
    assert order.index("used.idx") < order.index("used.ring[0]")


def test_an_index_taken_for_a_slot_goes_back_to_0(memory: GuestMemory) -> None:
    both, driver, _ = broken(memory, 0, (DriverFault.IDX_MODULO,))
    for _ in range(7):
        offer(driver)
        both.carry()
    offer(driver)
    assert stored(both, "avail.idx") == [1, 2, 3, 4, 5, 6, 7, 0]


def test_descriptors_free_too_early_are_used_twice(memory: GuestMemory) -> None:
    both, driver, _ = broken(memory, 0, (DriverFault.FREE_EARLY,))
    offer(driver)
    offer(driver)
    assert [event.data.field for event in both.events if isinstance(event.data, Store)].count("desc[0]") == 2
    assert driver.num_free == 8


def test_no_second_look_overlooks_what_slipped_in(memory: GuestMemory) -> None:
    for faults, noticed in (((), True), ((DeviceFault.NO_SECOND_LOOK,), False)):
        both, driver, device = broken(memory, 0, (), faults)
        device.disable_kicks()
        assert device.pop() is None
        offer(driver)
        assert device.enable_kicks() is noticed
