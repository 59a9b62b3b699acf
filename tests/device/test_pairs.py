"""Queue pairs as one thing to watch: which ring is which, slow motion, and what the frames shown are."""

from __future__ import annotations

import pytest

from tests.device.conftest import ARP, Stand
from tests.support import wait_until
from tour.device.contract import TX
from tour.device.embedded import EmbeddedDevice
from tour.device.pairs import Pairs, sampled
from tour.errors import UsageError
from tour.trace.events import Event, Packet, Sample
from tour.trace.recorder import Recorder


def test_rings_are_numbered_as_the_socket_numbers_them(stand: Stand) -> None:
    with EmbeddedDevice() as second:
        pairs = Pairs(lambda: [stand.device, second])
        assert [(eye.queue, eye.device, eye.index) for eye in pairs.eyes()] == [
            (0, stand.device, 0), (1, stand.device, 1), (2, second, 0), (3, second, 1),
        ]  # fmt: skip


@pytest.mark.parametrize("queue", [-1, 2, 300])
def test_a_queue_that_is_not_there_is_refused(stand: Stand, queue: int) -> None:
    pairs = Pairs(lambda: [stand.device])
    with pytest.raises(UsageError, match="no queue"):
        pairs.hold(queue, True)
    with pytest.raises(UsageError):
        pairs.release(queue, 1)


def test_slow_motion_takes_one_chain_at_a_time(stand: Stand) -> None:
    stand.start()
    pairs = Pairs(lambda: [stand.device])
    pairs.hold(TX, True)
    for _ in range(3):
        stand.send()
    eye = pairs.eyes()[TX]
    wait_until(lambda: (s := eye.stands()) is not None and s.held and s.last_avail_idx == 0, "it to be held")
    pairs.release(TX, 1)
    wait_until(lambda: stand.rings[TX].load_used_idx() == 1, "one chain")
    stand.rest()
    assert stand.rings[TX].load_used_idx() == 1
    pairs.hold(TX, False)
    wait_until(lambda: stand.rings[TX].load_used_idx() == 3, "all chains")


def test_a_packet_is_shown_as_it_went(stand: Stand) -> None:
    stand.start()
    eye = Pairs(lambda: [stand.device]).eyes()[TX]
    assert eye.packet() is None
    stand.send(bytes(12) + ARP)
    stand.rest()
    assert eye.packet() == Packet("out", "port", ARP.hex(), bytes(12).hex(), TX)


def test_a_measurement_is_sampled_as_long_as_it_lasts(stand: Stand) -> None:
    stand.start()
    events: list[Event] = []
    with sampled([stand.device], Recorder(events.append)) as sampler:
        wait_until(lambda: sum(isinstance(event.data, Sample) for event in events) == 2, "both rings")
    assert not sampler._thread.is_alive()
