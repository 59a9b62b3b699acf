"""The driver's side: what it writes, in which order, and what it refuses to believe."""

from __future__ import annotations

import pytest

from tests.virtqueue.conftest import BUFFERS, Make, Pair
from tour.abi.names import Feature, word_of
from tour.errors import RingError, RingFault
from tour.trace.events import Action, Private, Store, Write
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.ring import Desc, Ring

pytestmark = pytest.mark.requires("embedded")
EVENT = word_of(Feature.VIRTIO_RING_F_EVENT_IDX)
INDIRECT = word_of(Feature.VIRTIO_RING_F_INDIRECT_DESC)
ONE = [(BUFFERS, 54)]


def refused(pair: Pair) -> RingFault:
    with pytest.raises(RingError) as error:
        pair.driver.reap()
    assert "virtio v1.3" in error.value.cite
    return error.value.reason


# add and publish


def test_add_writes_descriptor_then_entry_and_publishes_nothing(make: Make) -> None:
    queue = make(record=True)
    head = queue.driver.add(ONE)
    stores = [event.data for event in queue.events if isinstance(event.data, Store)]
    assert [(store.field, store.new) for store in stores] == [
        ("desc[0]", [BUFFERS, 54, 0, 0]),
        ("avail.ring[0]", [0]),
    ]
    assert head == 0 and queue.ring.load_avail_idx() == 0
    assert queue.device.pop() is None


def test_publish_is_one_store_of_one_word(make: Make) -> None:
    queue = make(record=True)
    queue.driver.add(ONE)
    queue.events.clear()
    queue.driver.publish()
    (store, action) = [event.data for event in queue.events]
    assert isinstance(store, Store) and (store.field, store.old, store.new) == ("avail.idx", [0], [1])
    assert (store.before, store.after) == ("0000", "0100")
    assert action == Action("publish", 1, {"idx": 1})


def test_the_line_shown_is_the_line_that_ran(make: Make) -> None:
    queue = make(record=True)
    queue.driver.add(ONE)
    queue.driver.publish()
    seen = {event.data.field: event for event in queue.events if isinstance(event.data, Store)}
    assert seen["avail.idx"].code.startswith("self.ring.store_avail_idx(self.avail_shadow)")
    assert seen["desc[0]"].code == "self.ring.write_desc(index, desc)"
    assert all(event.where.startswith("virtqueue/driver.py:") for event in queue.events)
    moved = next(event for event in queue.events if isinstance(event.data, Private))
    assert moved.where.startswith("virtqueue/driver.py:") and "num_free" in moved.code


def test_a_chain_links_out_before_in(make: Make) -> None:
    queue = make(record=True)
    head = queue.driver.write_chain([(BUFFERS, 12), (BUFFERS + 64, 42)], [(BUFFERS + 128, 100)])
    assert [queue.ring.read_desc(i) for i in range(3)] == [
        Desc(BUFFERS, 12, 1, 1),
        Desc(BUFFERS + 64, 42, 1, 2),
        Desc(BUFFERS + 128, 100, 2, 0),
    ]
    stores = [event.data.field for event in queue.events if isinstance(event.data, Store)]
    assert stores == ["desc[0]", "desc[1]", "desc[2]"]
    assert head == 0 and queue.driver.num_free == 5


def test_an_indirect_chain_takes_one_descriptor(make: Make) -> None:
    queue = make(features=INDIRECT, record=True)
    table = BUFFERS + 0x8000
    queue.driver.add([(BUFFERS, 12), (BUFFERS + 64, 42)], [(BUFFERS + 128, 100)], indirect_at=table)
    assert queue.ring.read_desc(0) == Desc(table, 48, 4, 0)
    writes = [event.data for event in queue.events if isinstance(event.data, Write)]
    assert [(write.gpa, write.what) for write in writes] == [(table + 16 * i, "indirect") for i in range(3)]
    queue.driver.publish()
    chain = queue.device.pop()
    assert chain is not None
    assert chain.readable == ((BUFFERS, 12), (BUFFERS + 64, 42)) and chain.writable == ((BUFFERS + 128, 100),)
    assert queue.driver.num_free == 7


def test_a_full_ring_takes_no_more_and_changes_nothing(make: Make) -> None:
    queue = make(num=2)
    queue.driver.add(ONE)
    before = queue.memory.save()
    with pytest.raises(RingError) as error:
        queue.driver.add([(BUFFERS, 1), (BUFFERS, 1)])
    assert error.value.reason is RingFault.FULL
    assert queue.memory.save() == before and queue.driver.num_free == 1
    queue.driver.add(ONE)
    assert queue.driver.num_free == 0


def test_calls_that_make_no_sense(make: Make) -> None:
    queue = make()
    with pytest.raises(ValueError, match="at least one buffer"):
        queue.driver.add()
    with pytest.raises(ValueError, match="INDIRECT_DESC"):
        queue.driver.add(ONE, indirect_at=BUFFERS)
    queue.driver._doorbell = None
    with pytest.raises(ValueError, match="no doorbell"):
        queue.driver.kick()
    assert queue.driver.num_free == 8


# kick


def test_kick_rings_the_doorbell_and_writes_no_memory(make: Make) -> None:
    queue = make()
    before = queue.memory.save()
    queue.driver.kick()
    assert queue.kicks == [1] and queue.memory.save() == before


def test_used_flags_silence_kicks_and_avail_flags_do_not(make: Make) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.driver.publish()
    queue.ring.store_avail_flags(1)
    assert queue.driver.needs_kick()
    queue.device.disable_kicks()
    assert not queue.driver.needs_kick()
    queue.device.enable_kicks()
    assert queue.driver.needs_kick()


def test_event_idx_wants_one_kick_for_the_entry_asked_for(make: Make) -> None:
    queue = make(features=EVENT)
    queue.driver.restore(0, 0, ())
    queue.driver._kick_decided_at = 0
    queue.ring.store_avail_event(2)
    answers = []
    for _ in range(5):
        queue.driver.add(ONE)
        queue.driver.publish()
        answers.append(queue.driver.needs_kick())
    assert answers == [False, False, True, False, False]


def test_needs_kick_covers_everything_published_since_it_was_last_asked(make: Make) -> None:
    queue = make(features=EVENT)
    queue.driver._kick_decided_at = 0
    queue.ring.store_avail_event(1)
    for _ in range(4):
        queue.driver.add(ONE)
        queue.driver.publish()
    assert queue.driver.needs_kick()
    assert not queue.driver.needs_kick()


def test_what_is_added_but_not_published_is_no_reason_to_kick(make: Make) -> None:
    queue = make(features=EVENT)
    queue.driver._kick_decided_at = 0
    queue.driver.add(ONE)
    assert not queue.driver.needs_kick()


# reap


def test_reap_gives_back_what_the_device_wrote_and_frees_the_chain(make: Make) -> None:
    queue = make()
    queue.driver.add([], [(BUFFERS, 100), (BUFFERS + 100, 100)])
    queue.driver.publish()
    assert queue.driver.reap() is None
    assert queue.carry(150) == 0
    assert queue.driver.num_free == 8 and queue.driver.reap() is None
    assert queue.driver.add(ONE) == 0, "the free list is last in, first out"


def test_used_order_is_not_avail_order(make: Make) -> None:
    queue = make()
    first, second = queue.driver.add(ONE), queue.driver.add(ONE)
    queue.driver.publish()
    assert queue.device.pop() and queue.device.pop()
    queue.device.fill(second, 0, 0)
    queue.device.fill(first, 0, 1)
    assert queue.driver.reap() is None, "filled is not flushed"
    queue.device.flush(2)
    assert [queue.driver.reap(), queue.driver.reap()] == [(second, 0), (first, 0)]


def test_used_idx_jump(make: Make) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.driver.publish()
    queue.ring.store_used_idx(2)
    assert refused(queue) is RingFault.USED_JUMP
    queue.ring.store_used_idx(0xFFFF)
    assert refused(queue) is RingFault.USED_JUMP


@pytest.mark.parametrize("base", [0, 65535])
def test_used_idx_may_not_go_back(make: Make, base: int) -> None:
    queue = make(base=base)
    for _ in range(2):
        queue.driver.add(ONE)
    queue.driver.publish()
    queue.carry()
    queue.ring.store_used_idx(base)
    assert refused(queue) is RingFault.USED_JUMP


def test_used_idx_may_not_pass_what_was_published(make: Make) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.ring.store_used_entry(0, 0, 0)
    queue.ring.store_used_idx(1)
    assert refused(queue) is RingFault.USED_JUMP


@pytest.mark.parametrize("head", [1, 7, 8, 65535, 65536, 0xFFFFFFFF])
def test_head_not_outstanding(make: Make, head: int) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.driver.publish()
    queue.ring.store_used_entry(0, head, 0)
    queue.ring.store_used_idx(1)
    assert refused(queue) is RingFault.NOT_OUTSTANDING
    assert queue.driver.last_used_idx == 0 and queue.driver.num_free == 7


def test_head_added_but_not_published_is_not_outstanding(make: Make) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.driver.publish()
    hidden = queue.driver.add(ONE)
    queue.ring.store_used_entry(0, hidden, 0)
    queue.ring.store_used_idx(1)
    assert refused(queue) is RingFault.NOT_OUTSTANDING


def test_head_used_twice(make: Make) -> None:
    queue = make()
    queue.driver.add(ONE)
    queue.driver.add(ONE)
    queue.driver.publish()
    for idx in (0, 1):
        queue.ring.store_used_entry(idx, 0, 0)
    queue.ring.store_used_idx(2)
    assert queue.driver.reap() == (0, 0)
    assert refused(queue) is RingFault.NOT_OUTSTANDING


def test_the_middle_of_a_chain_is_no_head(make: Make) -> None:
    queue = make()
    queue.driver.add([(BUFFERS, 1), (BUFFERS, 1)])
    queue.driver.publish()
    queue.ring.store_used_entry(0, 1, 0)
    queue.ring.store_used_idx(1)
    assert refused(queue) is RingFault.NOT_OUTSTANDING


@pytest.mark.parametrize(("length", "ok"), [(100, True), (101, False), (0xFFFFFFFF, False)])
def test_used_length_is_at_most_what_the_device_may_write(make: Make, length: int, ok: bool) -> None:
    queue = make()
    queue.driver.add(ONE, [(BUFFERS, 100)])
    queue.driver.publish()
    queue.ring.store_used_entry(0, 0, length)
    queue.ring.store_used_idx(1)
    if ok:
        assert queue.driver.reap() == (0, length)
    else:
        assert refused(queue) is RingFault.USED_LENGTH


# calls


def test_disable_and_enable_calls_by_flags(make: Make) -> None:
    queue = make(record=True)
    queue.driver.disable_calls()
    assert queue.ring.load_avail_flags() == 1 and not queue.device.needs_call()
    assert not queue.driver.enable_calls()
    assert queue.ring.load_avail_flags() == 0 and queue.device.needs_call()


@pytest.mark.parametrize("features", [0, EVENT])
def test_enable_calls_tells_of_what_slipped_in(make: Make, features: int) -> None:
    queue = make(features=features)
    queue.driver.disable_calls()
    queue.driver.add(ONE)
    queue.driver.publish()
    assert queue.device.pop()
    queue.device.fill(0, 0)
    queue.device.flush()
    assert queue.driver.enable_calls()


def test_reap_moves_used_event_only_while_calls_are_wanted(make: Make) -> None:
    queue = make(features=EVENT)
    for _ in range(2):
        queue.driver.add(ONE)
    queue.driver.publish()
    queue.carry()
    assert queue.ring.load_used_event() == 1
    queue.driver.disable_calls()
    queue.carry()
    assert queue.ring.load_used_event() == 1


# taking over


def test_restore_goes_on_where_another_driver_left(make: Make) -> None:
    old = make(features=INDIRECT)
    old.driver.add([(BUFFERS, 1), (BUFFERS, 1)])
    old.driver.add([], [(BUFFERS, 200), (BUFFERS + 512, 300)], indirect_at=BUFFERS + 0x8000)
    old.driver.publish()
    old.carry()
    unpublished = old.driver.add([(BUFFERS, 54)], [(BUFFERS, 64)])

    heir = DriverQueue(Ring(old.memory, old.ring.gpa, 1), INDIRECT)
    heir.restore(old.driver.avail_shadow, old.driver.last_used_idx, list(old.driver.in_flight))
    assert heir.num_free == old.driver.num_free and sorted(heir._free) == sorted(old.driver._free)
    assert {head: (chain.descriptors, chain.writable_len) for head, chain in heir.in_flight.items()} == {
        head: (chain.descriptors, chain.writable_len) for head, chain in old.driver.in_flight.items()
    }
    assert heir.needs_kick(), "what the other driver had announced is unknown, so ask for a kick"
    old.ring.store_used_entry(1, unpublished, 0)
    old.ring.store_used_idx(2)
    with pytest.raises(RingError, match="not outstanding"):
        heir.reap()
    old.ring.store_used_entry(1, 2, 500)
    assert heir.reap() == (2, 500)
    heir.publish()
    assert old.device.pop() and heir.num_free == 6


def test_restore_across_the_wrap(make: Make) -> None:
    old = make(num=4, base=65535)
    old.driver.add(ONE)
    old.driver.publish()
    late = old.driver.add(ONE)
    heir = DriverQueue(Ring(old.memory, old.ring.gpa, 1))
    heir.restore(1, 65535, [0, late])
    assert old.device.pop() and old.device.pop() is None
    heir.publish()
    assert old.device.pop()
    for n, head in enumerate((late, 0)):
        old.device.fill(head, 0, n)
    old.device.flush(2)
    assert [heir.reap(), heir.reap()] == [(late, 0), (0, 0)] and heir.num_free == 4


def test_after_restore_a_kick_is_wanted_whatever_the_device_asked_for(make: Make) -> None:
    queue = make(features=EVENT)
    queue.driver.add(ONE)
    queue.driver.publish()
    queue.ring.store_avail_event(1000)
    assert queue.driver.needs_kick(), "base set: nothing is known of earlier kicks"
    queue.driver.restore(1, 0, [0])
    assert queue.driver.needs_kick() and not queue.driver.needs_kick()


@pytest.mark.parametrize(("features", "event"), [(0, 0), (EVENT, 65535)])
def test_set_base_asks_for_a_call_from_there(make: Make, features: int, event: int) -> None:
    queue = make(features=features, base=65535)
    assert queue.ring.load_used_event() == event
    assert (queue.ring.load_avail_idx(), queue.ring.load_used_idx()) == (65535, 65535)
