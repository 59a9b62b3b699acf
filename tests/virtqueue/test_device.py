"""The device's side: what it takes, what it refuses, and that a refused chain was not taken."""

from __future__ import annotations

import struct

import pytest

from tests.virtqueue.conftest import BASE, BUFFERS, Make, Pair
from tour.abi.names import Feature, word_of
from tour.errors import RingError, RingFault
from tour.memory.dirty import LogBitmap
from tour.trace.events import Action, Private, Store
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Desc, Ring

pytestmark = pytest.mark.requires("embedded")
EVENT = word_of(Feature.VIRTIO_RING_F_EVENT_IDX)
INDIRECT = word_of(Feature.VIRTIO_RING_F_INDIRECT_DESC)
NEXT, WRITE, TABLE = 1, 2, 4
AT = BUFFERS + 0x10000


def offer(queue: Pair, *descs: Desc, head: int = 0, count: int = 1) -> None:
    """What a driver without manners writes: descriptors from 0 on, one entry, avail.idx."""
    for index, desc in enumerate(descs):
        queue.ring.write_desc(index, desc)
    queue.ring.store_avail_entry(0, head)
    queue.ring.store_avail_idx(count)


def table(queue: Pair, *descs: Desc) -> None:
    queue.memory.write(AT, b"".join(desc.pack() for desc in descs))


def fault(queue: Pair) -> RingError:
    """The violation, met twice: nothing was taken by the first pop."""
    for _ in range(2):
        with pytest.raises(RingError) as refused:
            queue.device.pop()
        assert queue.device.last_avail_idx == 0
        assert refused.value.queue == 1 and "virtio v1.3 2.7" in refused.value.cite
    return refused.value


# what is taken


def test_pop_map_fill_flush_tell_their_story(make: Make) -> None:
    queue = make(record=True)
    queue.driver.add([(BUFFERS, 54)])
    queue.driver.publish()
    queue.events.clear()
    chain = queue.device.pop()
    assert chain is not None
    mapped = queue.device.map(chain)
    assert mapped.readable == ((queue.memory.translate(BUFFERS, 54), 54),)
    queue.device.fill(chain.head, 0)
    queue.device.flush()
    told = [event.data for event in queue.events]
    assert [data.verb for data in told if isinstance(data, Action)] == ["pop", "map", "fill", "flush"]
    assert [data.field for data in told if isinstance(data, Store)] == ["used.ring[0]", "used.idx"]
    assert [(data.name, data.after) for data in told if isinstance(data, Private)] == [
        ("last_avail_idx", 1),
        ("used_shadow", 1),
    ]
    assert all(event.actor == "device" and event.where.startswith("virtqueue/device.py:") for event in queue.events)
    shown = next(data for data in told if isinstance(data, Action) and data.verb == "map").detail
    assert shown == {"head": 0, "pieces": 1, "gpa": BUFFERS, "hva": mapped.readable[0].hva, "len": 54}


def test_nothing_published_is_nothing_popped(make: Make) -> None:
    queue = make(record=True)
    assert queue.device.pop() is None and queue.events == []


def test_a_later_change_of_the_descriptor_does_not_reach_a_popped_chain(make: Make) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 54))
    chain = queue.device.pop()
    queue.ring.write_desc(0, Desc(0xDEAD0000, 1 << 31))
    assert chain is not None and chain.readable == ((BUFFERS, 54),)
    assert queue.device.map(chain).readable_len == 54


def test_each_descriptor_is_read_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make()
    queue.driver.add([(BUFFERS, 1), (BUFFERS, 2)], [(BUFFERS, 3)])
    queue.driver.publish()
    reads: list[int] = []
    real = queue.device.ring.read_desc

    def counted(index: int) -> Desc:
        reads.append(index)
        return real(index)

    monkeypatch.setattr(queue.device.ring, "read_desc", counted)
    chain = queue.device.pop()
    assert chain is not None
    queue.device.map(chain)
    assert reads == [0, 1, 2]


def test_rewind_gives_the_same_chain_again(make: Make) -> None:
    queue = make()
    queue.driver.add([(BUFFERS, 54)])
    queue.driver.publish()
    first = queue.device.pop()
    queue.device.rewind()
    assert queue.device.pop() == first and first is not None


def test_direct_descriptors_then_one_indirect(make: Make) -> None:
    """virtio v1.3 2.7.5.3.2: the device must handle it."""
    queue = make(features=INDIRECT)
    table(queue, Desc(BUFFERS + 8, 2, NEXT, 2), Desc(0, 99), Desc(BUFFERS + 16, 3, WRITE))
    offer(queue, Desc(BUFFERS, 1, NEXT, 1), Desc(AT, 48, TABLE))
    chain = queue.device.pop()
    assert chain is not None
    assert chain.readable == ((BUFFERS, 1), (BUFFERS + 8, 2)) and chain.writable == ((BUFFERS + 16, 3),)


def test_an_empty_buffer_has_no_span(make: Make) -> None:
    queue = make()
    offer(queue, Desc(0xDEAD0000, 0))
    chain = queue.device.pop()
    assert chain is not None and queue.device.map(chain).readable == ()


def test_a_buffer_over_two_adjacent_regions_has_two_spans(make: Make) -> None:
    from tour.memory.table import MemoryTable, Region

    queue = make()
    low, high = Region(0x1000000, 0x1000, 0x7000_0000), Region(0x1001000, 0x1000, 0x6000_0000)
    queue.device.walker.table = MemoryTable([low, high])
    offer(queue, Desc(0x1000F00, 0x200))
    chain = queue.device.pop()
    assert chain is not None
    assert queue.device.map(chain).readable == ((0x7000_0F00, 0x100), (0x6000_0000, 0x100))


# what is refused


def test_avail_idx_jump(make: Make) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 54), count=9)
    error = fault(queue)
    assert (error.reason, error.index, error.value) == (RingFault.AVAIL_JUMP, 0, 9)


def test_avail_idx_backwards(make: Make) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 54), count=0xFFFF)
    assert fault(queue).reason is RingFault.AVAIL_JUMP


def test_a_ring_exactly_full_is_no_jump(make: Make) -> None:
    queue = make()
    for _ in range(8):
        queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    assert queue.device.waiting() == 8


@pytest.mark.parametrize("head", [8, 0xFFFF])
def test_head_outside_the_table(make: Make, head: int) -> None:
    queue = make()
    offer(queue, head=head)
    assert (fault(queue).reason, fault(queue).value) == (RingFault.HEAD_RANGE, head)


@pytest.mark.parametrize("following", [8, 0xFFFF])
def test_next_outside_the_table(make: Make, following: int) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 1, NEXT, following))
    assert fault(queue).reason is RingFault.NEXT_RANGE


def test_chain_loop_of_one_and_of_all(make: Make) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 1, NEXT, 0))
    assert fault(queue).reason is RingFault.CHAIN_LOOP
    offer(queue, *(Desc(BUFFERS, 1, NEXT, (i + 1) % 8) for i in range(8)))
    assert fault(queue).reason is RingFault.CHAIN_LOOP


def test_a_loop_is_given_up_after_num_descriptors(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 1, NEXT, 0))
    reads: list[int] = []

    def endless(index: int) -> Desc:
        reads.append(index)
        return Desc(BUFFERS, 1, NEXT, 0)

    monkeypatch.setattr(queue.device.ring, "read_desc", endless)
    with pytest.raises(RingError):
        queue.device.pop()
    assert len(reads) == 8


def test_the_longest_chain_is_no_loop(make: Make) -> None:
    queue = make()
    offer(queue, *(Desc(BUFFERS, 1, NEXT if i < 7 else 0, i + 1) for i in range(8)))
    chain = queue.device.pop()
    assert chain is not None and len(chain.readable) == 8


def test_readable_after_writable(make: Make) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 1, NEXT | WRITE, 1), Desc(BUFFERS, 1))
    assert fault(queue).reason is RingFault.READ_AFTER_WRITE


def test_indirect_without_the_feature(make: Make) -> None:
    queue = make()
    offer(queue, Desc(AT, 16, TABLE))
    assert fault(queue).reason is RingFault.INDIRECT_OFF


def test_indirect_with_next(make: Make) -> None:
    queue = make(features=INDIRECT)
    offer(queue, Desc(AT, 16, TABLE | NEXT, 1))
    assert fault(queue).reason is RingFault.INDIRECT_NEXT


@pytest.mark.parametrize("size", [0, 1, 15, 17, 16 * 65537, 0xFFFFFFF0])
def test_indirect_size(make: Make, size: int) -> None:
    queue = make(features=INDIRECT)
    offer(queue, Desc(AT, size, TABLE))
    assert (fault(queue).reason, fault(queue).value) == (RingFault.INDIRECT_SIZE, size)


def test_indirect_nested(make: Make) -> None:
    queue = make(features=INDIRECT)
    table(queue, Desc(BUFFERS, 1, NEXT, 1), Desc(AT, 16, TABLE))
    offer(queue, Desc(AT, 32, TABLE))
    assert (fault(queue).reason, fault(queue).index) == (RingFault.INDIRECT_NESTED, 1)


def test_indirect_next_and_loop_inside_the_table(make: Make) -> None:
    queue = make(features=INDIRECT)
    table(queue, Desc(BUFFERS, 1, NEXT, 2))
    offer(queue, Desc(AT, 32, TABLE))
    assert fault(queue).reason is RingFault.NEXT_RANGE
    table(queue, Desc(BUFFERS, 1, NEXT, 1), Desc(BUFFERS, 1, NEXT, 0))
    assert fault(queue).reason is RingFault.CHAIN_LOOP


def test_readable_after_writable_across_the_indirect_border(make: Make) -> None:
    queue = make(features=INDIRECT)
    table(queue, Desc(BUFFERS, 1))
    offer(queue, Desc(BUFFERS, 1, NEXT | WRITE, 1), Desc(AT, 16, TABLE))
    assert fault(queue).reason is RingFault.READ_AFTER_WRITE


@pytest.mark.parametrize("at", [0x300000, 0x1FFFF8, (1 << 64) - 16, (1 << 64) - 8])
def test_indirect_table_outside_memory(make: Make, at: int) -> None:
    queue = make(features=INDIRECT)
    offer(queue, Desc(at, 16, TABLE))
    assert fault(queue).reason is RingFault.BAD_ADDRESS


@pytest.mark.parametrize(
    ("addr", "size"), [(0x300000, 1), (0x1FFFFF, 2), ((1 << 64) - 1, 2), (0, 0xFFFFFFFF), (BUFFERS - 1, 2)]
)
def test_a_buffer_outside_memory_is_refused_by_map_and_not_taken(make: Make, addr: int, size: int) -> None:
    queue = make()
    offer(queue, Desc(BUFFERS, 1, NEXT, 1), Desc(addr, size, WRITE))
    for _ in range(2):
        chain = queue.device.pop()
        assert chain is not None
        with pytest.raises(RingError) as refused:
            queue.device.map(chain)
        assert (refused.value.reason, refused.value.value) == (RingFault.BAD_ADDRESS, addr)
        assert queue.device.last_avail_idx == 0
    queue.ring.write_desc(1, Desc(BUFFERS, size % 4096, WRITE))
    mended = queue.device.pop()
    assert mended is not None and queue.device.map(mended).readable_len == 1


# kicks and calls


def test_disable_and_enable_kicks_by_flags(make: Make) -> None:
    queue = make(record=True)
    queue.device.disable_kicks()
    queue.device.disable_kicks()
    assert [event.data.new for event in queue.events if isinstance(event.data, Store)] == [[1]]
    assert not queue.device.enable_kicks() and queue.ring.load_used_flags() == 0


def test_enable_kicks_by_event_idx_asks_for_the_next_entry(make: Make) -> None:
    queue = make(features=EVENT)
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    queue.device.disable_kicks()
    assert queue.ring.load_used_flags() == 0, "with event idx the flag stays 0 (virtio v1.3 2.7.10.2)"
    queue.carry()
    assert not queue.device.enable_kicks()
    assert queue.ring.load_avail_event() == 1
    queue.driver.needs_kick()
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    assert queue.driver.needs_kick()


@pytest.mark.parametrize("features", [0, EVENT])
def test_enable_kicks_tells_of_what_slipped_in(make: Make, features: int) -> None:
    queue = make(features=features)
    queue.device.disable_kicks()
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    assert queue.device.enable_kicks()


def test_the_first_call_with_event_idx_is_unconditional(make: Make) -> None:
    queue = make(features=EVENT)
    queue.ring.store_used_event(1000)
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    queue.carry()
    queue.ring.store_used_event(1000)
    assert queue.device.needs_call()
    assert not queue.device.needs_call()


def test_one_call_for_a_batch(make: Make) -> None:
    queue = make(features=EVENT)
    assert queue.device.needs_call()
    for _ in range(4):
        queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    for n in range(4):
        chain = queue.device.pop()
        assert chain is not None
        queue.device.fill(chain.head, 0, n)
    queue.device.flush(4)
    assert [queue.device.needs_call(), queue.device.needs_call()] == [True, False]


def test_notify_on_empty_calls_although_the_driver_asked_not_to(make: Make) -> None:
    queue = make(features=word_of(Feature.VIRTIO_F_NOTIFY_ON_EMPTY))
    queue.driver.disable_calls()
    assert queue.device.needs_call()
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    assert queue.device.pop() and not queue.device.needs_call()
    assert queue.device.pop() and queue.device.needs_call()


def test_signalled_used_is_forgotten_before_it_comes_round_again(make: Make) -> None:
    queue = make(features=EVENT)
    queue.device.needs_call()
    queue.ring.store_used_event(5)
    for _ in range((1 << 16) // 8):
        queue.device.flush(8)
    assert queue.device.signalled_used is None and queue.device.needs_call()


# the used ring's dirty log, ring addresses


def test_used_writes_are_logged_and_nothing_else(make: Make) -> None:
    queue = make(num=256)
    log = LogBitmap(0x200000)
    queue.device.ring.log = queue.ring.log = log
    queue.driver.add([(BUFFERS, 1)])
    queue.driver.publish()
    assert log.fetch_and_clear() == []
    queue.carry()
    assert log.fetch_and_clear() == [queue.ring.gpa.used & ~0xFFF]
    log.close()


def test_a_ring_outside_the_table_works_and_is_shown_by_its_hva(make: Make) -> None:
    from tour.memory.table import MemoryTable

    queue = make()
    ring = Ring.at(queue.ring.hva, MemoryTable([]), 0)
    assert ring.gpa == queue.ring.hva
    ring.store_used_idx(7)
    assert queue.ring.load_used_idx() == 7


def test_a_misaligned_descriptor_table_is_accepted_as_the_kernel_does(make: Make) -> None:
    queue = make()
    hva = queue.ring.hva
    shifted = RingLayout(hva.num, hva.desc + 2, hva.avail, hva.used)
    ring = Ring.at(shifted, queue.memory.table, 0)
    queue.memory.write(BASE + 2, struct.pack("<QIHH", BUFFERS, 54, 0, 0))
    assert ring.read_desc(0) == Desc(BUFFERS, 54)
    with pytest.raises(RingError):
        Ring.at(RingLayout(hva.num, hva.desc, hva.avail + 1, hva.used), queue.memory.table, 0)
