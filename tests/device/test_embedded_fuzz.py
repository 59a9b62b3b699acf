"""A hostile driver: any bytes in rings and tables. The worker lives, says why it stopped, and never spins."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.device.conftest import BUFFER, FEATURES, Stand
from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.errors import RingFault
from tour.trace.events import Broken, Error
from tour.virtqueue.ring import Desc

ALL = FEATURES | Feature.VIRTIO_RING_F_INDIRECT_DESC.mask | Feature.VIRTIO_RING_F_EVENT_IDX.mask
REASONS = {reason.value for reason in RingFault}
ADDRESSES = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.integers(BUFFER - 64, BUFFER + 4096),
    st.integers(0x20000 - 64, 0x20000 + 64),
    st.integers((1 << 64) - 64, (1 << 64) - 1),
    st.sampled_from((0x1000, 0x8000, 0, BUFFER + 0x80000 - 16)),
)
LENGTHS = st.one_of(st.integers(0, 200), st.sampled_from((0, 11, 12, 13, 16, 4096, 0x80000, 0xFFFFFFFF)))
DESCS = st.builds(Desc, ADDRESSES, LENGTHS, st.one_of(st.integers(0, 7), st.integers(0, 0xFFFF)), st.integers(0, 9))
WORDS = st.one_of(st.integers(0, 9), st.integers(0, 0xFFFF))


@pytest.fixture(scope="module", params=["python", "engine"])
def running(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """One device for all examples: what one leaves behind is what the next meets."""
    with ExitStack() as stack:
        stand = Stand(stack, gear=request.param)
        stand.start(features=ALL)
        yield stand


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    index=st.sampled_from((RX, TX)),
    descs=st.lists(DESCS, min_size=8, max_size=8),
    table=st.lists(DESCS, min_size=4, max_size=4),
    heads=st.lists(WORDS, min_size=8, max_size=8),
    ahead=WORDS,
    flags=WORDS,
)
def test_any_ring_at_all(
    running: Stand, index: int, descs: list[Desc], table: list[Desc], heads: list[int], ahead: int, flags: int
) -> None:
    ring = running.rings[index]
    base = running.device.stop(index)
    for number, desc in enumerate(descs):
        ring.write_desc(number, desc)
    running.memory.write(BUFFER, b"".join(entry.pack() for entry in table))
    for slot, head in enumerate(heads):
        ring.store_avail_entry(slot, head)
    ring.store_avail_flags(flags)
    ring.store_avail_idx((base + ahead) & 0xFFFF)
    running.events.clear()
    running.device.start(index, running.port)
    with contextlib.suppress(BlockingIOError):
        running.port._theirs.send(bytes(12) + b"\xff" * 100, socket.MSG_DONTWAIT)
    running.kick(index)
    running.rest()
    assert running.of(Error) == []
    assert {broken.reason for broken in running.of(Broken)} <= REASONS
    worker = running.device.worker
    assert worker is not None and worker.look().state in "SR"
