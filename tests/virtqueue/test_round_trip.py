"""Driver and device together: across the wrap at 65535, in random order, and in two threads."""

from __future__ import annotations

import os
import select
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.virtqueue.conftest import BUFFERS, Make, pair
from tour.abi.names import Feature, word_of
from tour.errors import RingError, RingFault
from tour.memory.guest import GuestMemory
from tour.trace.events import Private, Store
from tour.virtqueue.chain import Buffer, Chain
from tour.virtqueue.device import DeviceQueue

pytestmark = pytest.mark.requires("embedded")
EVENT, INDIRECT = word_of(Feature.VIRTIO_RING_F_EVENT_IDX), word_of(Feature.VIRTIO_RING_F_INDIRECT_DESC)


# wrap


@pytest.mark.parametrize("features", [0, EVENT])
@pytest.mark.parametrize("num", [1, 2, 8, 32768])
def test_one_by_one_across_65535(make: Make, num: int, features: int) -> None:
    queue = make(num=num, features=features, base=65534)
    for count in range(5):
        queue.driver.add([(BUFFERS, 1)])
        queue.driver.publish()
        assert queue.driver.needs_kick()
        chain = queue.device.pop()
        assert chain is not None
        queue.device.fill(chain.head, 0)
        queue.device.flush()
        assert queue.device.needs_call()
        assert queue.driver.reap() == (chain.head, 0)
        assert queue.ring.load_avail_idx() == queue.ring.load_used_idx() == (65535 + count) % 65536
        queue.device.disable_kicks()
        assert not queue.device.enable_kicks()
    assert queue.device.last_avail_idx == queue.device.used_shadow == queue.driver.last_used_idx == 3


@pytest.mark.parametrize("num", [1, 2, 8, 32768])
def test_a_full_ring_across_65535(make: Make, num: int) -> None:
    queue = make(num=num, base=(65536 - num // 2) % 65536)
    heads = [queue.driver.add([(BUFFERS, 1)]) for _ in range(num)]
    queue.driver.publish()
    assert queue.device.waiting() == num and queue.driver.num_free == 0
    assert [queue.carry() for _ in range(num)] == heads
    assert queue.device.pop() is None and queue.driver.reap() is None
    assert queue.driver.num_free == num


def test_avail_idx_jump_is_seen_across_the_wrap(make: Make) -> None:
    queue = make(base=65535)
    queue.ring.store_avail_idx(8)
    with pytest.raises(RingError) as refused:
        queue.device.pop()
    assert refused.value.reason is RingFault.AVAIL_JUMP
    queue.ring.store_avail_idx(7)
    assert queue.device.waiting() == 8


def test_events_of_the_wrap_show_65535_to_0(make: Make) -> None:
    queue = make(base=65535, record=True)
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    moved = [event.data for event in queue.events if isinstance(event.data, Private | Store)]
    assert Private(1, "avail_shadow", 65535, 0) in moved
    store = moved[-1]
    assert isinstance(store, Store) and (store.field, store.old, store.new) == ("avail.idx", [65535], [0])
    assert next(data.field for data in moved if isinstance(data, Store) and "ring" in data.field) == "avail.ring[7]"


# in any order


class Conserved(RuleBasedStateMachine):
    """Any legal order of the verbs: no descriptor is lost or doubled, every chain arrives as it was written."""

    @initialize(
        num=st.sampled_from([1, 2, 4, 16]),
        features=st.sampled_from([0, EVENT, INDIRECT, EVENT | INDIRECT]),
        base=st.sampled_from([0, 1, 65530, 65535]),
    )
    def begin(self, num: int, features: int, base: int) -> None:
        self.memory = GuestMemory([(0, 0x200000), (BUFFERS, 0x100000)])
        self.queue = pair(self.memory, num, features, base=base)
        self.num, self.can_indirect = num, bool(features & INDIRECT)
        self.tables = 0
        self.added: dict[int, Chain] = {}
        self.published: list[int] = []
        self.unpublished: list[int] = []
        self.popped: list[Chain] = []
        self.newest: Chain | None = None
        self.filled: list[tuple[int, int]] = []
        self.flushed: list[tuple[int, int]] = []

    parts = st.lists(st.tuples(st.integers(BUFFERS, BUFFERS + 0xF000), st.integers(1, 300)), max_size=3)

    @rule(out=parts, in_=parts, indirect=st.booleans())
    def add(self, out: list[tuple[int, int]], in_: list[tuple[int, int]], indirect: bool) -> None:
        if not out + in_:
            return
        use_table = indirect and self.can_indirect
        self.tables += 1  # a table of its own for each chain: one in flight must not be written again
        at = BUFFERS + 0x20000 + 64 * 16 * (self.tables % 512) if use_table else None
        needed = 1 if use_table else len(out) + len(in_)
        free = self.queue.driver.num_free
        if needed > free:
            with pytest.raises(RingError) as refused:
                self.queue.driver.add(out, in_, at)
            assert refused.value.reason is RingFault.FULL
            return
        head = self.queue.driver.add(out, in_, at)
        assert head not in self.added and self.queue.driver.num_free == free - needed
        self.added[head] = Chain(head, tuple(Buffer(*p) for p in out), tuple(Buffer(*p) for p in in_))
        self.unpublished.append(head)

    @rule()
    def publish(self) -> None:
        self.queue.driver.publish()
        self.published += self.unpublished
        self.unpublished = []

    @rule()
    def pop(self) -> None:
        chain = self.queue.device.pop()
        if not self.published:
            assert chain is None
            return
        assert chain == self.added[self.published.pop(0)]
        mapped = self.queue.device.map(chain)
        assert (mapped.readable_len, mapped.writable_len) == (chain.readable_len, chain.writable_len)
        self.popped.append(chain)
        self.newest = chain

    @precondition(lambda self: self.popped and self.popped[-1] is self.newest)
    @rule()
    def rewind(self) -> None:
        chain = self.popped.pop()
        self.queue.device.rewind()
        self.published.insert(0, chain.head)
        self.newest = None

    @precondition(lambda self: self.popped)
    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        chain = self.popped.pop(data.draw(st.integers(0, len(self.popped) - 1)))
        length = data.draw(st.integers(0, chain.writable_len))
        self.queue.device.fill(chain.head, length, len(self.filled))
        self.filled.append((chain.head, length))

    @rule()
    def flush(self) -> None:
        self.queue.device.flush(len(self.filled))
        self.flushed += self.filled
        self.filled = []

    @rule()
    def reap(self) -> None:
        used = self.queue.driver.reap()
        if not self.flushed:
            assert used is None
            return
        assert used == self.flushed.pop(0)
        del self.added[used[0]]

    @rule()
    def doorbells(self) -> None:
        self.queue.driver.needs_kick()
        self.queue.device.needs_call()
        self.queue.device.disable_kicks()
        assert self.queue.device.enable_kicks() == bool(self.published)

    @invariant()
    def every_descriptor_is_somewhere_exactly_once(self) -> None:
        if not hasattr(self, "queue"):
            return
        driver = self.queue.driver
        taken = [index for chain in driver.in_flight.values() for index in chain.descriptors]
        assert sorted(taken + driver._free) == list(range(self.num))
        assert set(driver.in_flight) == set(self.added)
        assert driver.num_free == len(driver._free)

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            self.memory.close()


TestConserved = Conserved.TestCase
TestConserved.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# in two threads


def device_thread(device: DeviceQueue, kick: int, call: int, total: int, failed: list[BaseException]) -> None:
    """A device that sleeps on its doorbell whenever the ring says it may."""
    done = 0
    try:
        device.disable_kicks()
        while done < total:
            chain = device.pop()
            if chain is not None:
                device.map(chain)
                device.fill(chain.head, 0)
                device.flush()
                done += 1
                if device.needs_call():
                    os.eventfd_write(call, 1)
            elif not device.enable_kicks():
                if not select.select([kick], [], [], 20)[0]:
                    raise TimeoutError(f"device slept through a kick after {done} chains")
                os.eventfd_read(kick)
                device.disable_kicks()
            else:
                device.disable_kicks()
    except BaseException as error:  # noqa: BLE001 - told to the test's own thread
        failed.append(error)


@pytest.mark.parametrize("features", [0, EVENT])
def test_no_doorbell_is_lost_between_two_threads(make: Make, features: int) -> None:
    queue, total = make(num=4, features=features, base=65000), 3000
    kick, call = os.eventfd(0), os.eventfd(0)
    queue.driver._doorbell = lambda: os.eventfd_write(kick, 1)
    failed: list[BaseException] = []
    thread = threading.Thread(target=device_thread, args=(queue.device, kick, call, total, failed))
    thread.start()
    sent = reaped = 0
    try:
        while reaped < total and not failed:
            while sent < total and queue.driver.num_free:
                queue.driver.add([(BUFFERS, 1)])
                sent += 1
                queue.driver.publish()
                if queue.driver.needs_kick():
                    queue.driver.kick()
            if queue.driver.reap():
                reaped += 1
            elif not queue.driver.enable_calls():
                assert select.select([call], [], [], 20)[0], f"driver slept through a call after {reaped}"
                os.eventfd_read(call)
                queue.driver.disable_calls()
    finally:
        thread.join(30)
        os.close(kick)
        os.close(call)
    assert not failed and reaped == total and queue.driver.num_free == 4
