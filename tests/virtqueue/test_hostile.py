"""Random bytes for a ring: whatever the other side writes, the answer is a chain or a RingError, and soon."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.virtqueue.conftest import BASE, BUFFERS, Pair, pair
from tour.abi.names import Feature, word_of
from tour.errors import RingError
from tour.memory.guest import GuestMemory
from tour.virtqueue.layout import end, plan
from tour.virtqueue.ring import Desc

pytestmark = pytest.mark.requires("embedded")
BOTH = word_of(Feature.VIRTIO_RING_F_EVENT_IDX, Feature.VIRTIO_RING_F_INDIRECT_DESC)
FEATURES = st.sampled_from([0, BOTH])
SIZES = st.sampled_from([1, 2, 8, 16])
ADDRESSES = st.sampled_from(
    [0, BASE, BUFFERS, BUFFERS + 0x10000, 0x1FFFF8, 0x200000, (1 << 64) - 1, (1 << 64) - 16]
) | st.integers(0, (1 << 64) - 1)
LENGTHS = st.sampled_from([0, 1, 16, 32, 48, 64, 4096, 0x100000, 0x100010, 0xFFFFFFFF])
DESCS = st.builds(Desc, ADDRESSES, LENGTHS, st.integers(0, 7) | st.integers(0, 65535), st.integers(0, 18))


def look(queue: Pair) -> None:
    """Let a device look at whatever lies in the ring: a chain, None or a RingError, and nothing half done."""
    device = queue.device
    for _ in range(queue.ring.num + 1):
        before = device.last_avail_idx
        try:
            chain = device.pop()
            if chain is None:
                break
            mapped = device.map(chain)
        except RingError as error:
            assert device.last_avail_idx == before, error
            break
        assert mapped.readable_len == chain.readable_len and mapped.writable_len == chain.writable_len
    for question in (device.needs_call, device.enable_kicks, device.disable_kicks, device.enable_kicks):
        with contextlib.suppress(RingError):
            question()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SIZES, FEATURES, st.lists(DESCS, max_size=16), st.lists(DESCS, max_size=6), st.data())
def test_device_survives_any_descriptors(
    num: int, features: int, descs: list[Desc], table: list[Desc], data: st.DataObject
) -> None:
    with GuestMemory([(0, 0x200000), (BUFFERS, 0x100000)]) as memory:
        queue = pair(memory, num, features)
        for index, desc in enumerate(descs[:num]):
            queue.ring.write_desc(index, desc)
        memory.write(BUFFERS + 0x10000, b"".join(desc.pack() for desc in table))
        for slot in range(num):
            queue.ring.store_avail_entry(slot, data.draw(st.integers(0, num)))
        queue.ring.store_avail_idx(data.draw(st.integers(0, num + 1)))
        look(queue)


@settings(max_examples=200, deadline=None)
@given(SIZES, FEATURES, st.integers(0, 1 << 32), st.integers(0, 65535))
def test_device_survives_random_bytes(num: int, features: int, seed: int, base: int) -> None:
    with GuestMemory([(0, 0x200000), (BUFFERS, 0x100000)]) as memory:
        queue = pair(memory, num, features, base=base)
        layout = plan(num, BASE)
        memory.write(BASE, random.Random(seed).randbytes(end(layout) - BASE))
        queue.ring.store_avail_idx((base + seed % (num + 2)) % 65536)
        look(queue)


@settings(max_examples=200, deadline=None)
@given(SIZES, FEATURES, st.integers(0, 1 << 32), st.integers(0, 65535), st.integers(0, 18))
def test_driver_survives_random_bytes_in_the_used_ring(
    num: int, features: int, seed: int, base: int, moved: int
) -> None:
    with GuestMemory([(0, 0x200000), (BUFFERS, 0x100000)]) as memory:
        queue = pair(memory, num, features, base=base)
        heads = [queue.driver.add([], [(BUFFERS, 64)]) for _ in range(num)]
        queue.driver.publish()
        layout, rng = plan(num, BASE), random.Random(seed)
        memory.write(layout.used, rng.randbytes(layout.used_size))
        for slot in range(num):
            if rng.random() < 0.7:
                memory.write(layout.used_ring(slot), struct.pack("<II", rng.choice(heads), rng.randrange(80)))
        queue.ring.store_used_idx((base + moved) % 65536)
        reaped = []
        try:
            while (used := queue.driver.reap()) is not None:
                reaped.append(used)
        except RingError:
            pass
        assert len({used.head for used in reaped}) == len(reaped) <= num
        assert all(used.len <= 64 for used in reaped)
        assert queue.driver.num_free == len(reaped)
        queue.driver.needs_kick()
        queue.driver.enable_calls()


def test_the_longest_indirect_table_ends_soon(memory: GuestMemory) -> None:
    """65536 entries that point in a circle: bounded by the table, and by a second of time."""
    queue = pair(memory, 8, BOTH)
    ring = b"".join(Desc(BUFFERS, 1, 1, (i + 1) % 65536).pack() for i in range(65536))
    memory.write(0x100000, ring)
    queue.ring.write_desc(0, Desc(0x100000, len(ring), 4))
    queue.ring.store_avail_idx(1)
    with pytest.raises(RingError, match="longer than its table"):
        queue.device.pop()
