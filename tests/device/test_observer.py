"""The observer: what it tells of a device that does not tell its steps, here the embedded one with its C engine:
what the observer tells comes from memory and /proc alone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.device.conftest import BUFFER, Stand
from tour.device.contract import RX, TX
from tour.device.embedded import EmbeddedDevice
from tour.device.observer import RingObserver
from tour.errors import TimedOut
from tour.trace.events import Count, Event, Ioctl, Private, Snapshot
from tour.trace.recorder import Recorder
from tour.virtqueue.ring import Desc, Ring


class Watch:
    """An observer with its own list of events."""

    def __init__(self, stand: Stand, index: int) -> None:
        self.events: list[Event] = []
        stand.device.recorder = Recorder(self.events.append)
        fds = stand.fds[index]
        recorder = stand.device.recorder
        self.look = RingObserver(stand.device, stand.rings[index], fds, recorder, stand.port.fileno())

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event.data, kind)]


@pytest.fixture
def opaque(stand: Stand) -> Iterator[Stand]:
    stand.device.close()
    with EmbeddedDevice(gear="engine") as stand.device:
        yield stand


def test_a_packet_is_one_jump(opaque: Stand) -> None:
    opaque.start()
    watch = Watch(opaque, TX)
    opaque.send()
    assert watch.look.wait_quiescent() == "quiescent"
    snapshots = watch.of(Snapshot)
    assert snapshots and all(event.inferred and event.source == "observer" for event in snapshots)
    entries = [entry for event in snapshots for entry in event.data.used]  # type: ignore[union-attr]
    assert entries == [[0, 0, 0]]
    assert snapshots[-1].data.used_idx == 1  # type: ignore[union-attr]
    assert all(event.data.t_from <= event.data.t_to for event in snapshots)  # type: ignore[union-attr]


def test_doorbells_are_counted_and_not_read(opaque: Stand) -> None:
    opaque.start()
    watch = Watch(opaque, TX)
    opaque.send()
    watch.look.wait_quiescent()
    counts = {event.data.doorbell: event.data.count for event in watch.of(Count)}  # type: ignore[union-attr]
    assert counts == {"kick": 1, "call": 1}
    assert os.eventfd_read(opaque.fds[TX]["kick"]) == 1


def test_the_private_index_comes_from_an_ioctl_that_is_told(opaque: Stand) -> None:
    opaque.start()
    watch = Watch(opaque, TX)
    watch.look.look_at_base()
    opaque.send()
    watch.look.wait_quiescent()
    told = [event for event in watch.events if isinstance(event.data, Ioctl)]
    assert {(event.data.name, event.source) for event in told} == {("VHOST_GET_VRING_BASE", "observer")}  # type: ignore[union-attr]
    moved = [(event.data.before, event.data.after) for event in watch.of(Private)]  # type: ignore[union-attr]
    assert moved == [(0, 0), (0, 1)]


def test_nothing_new_is_nothing_told(opaque: Stand) -> None:
    opaque.start()
    watch = Watch(opaque, TX)
    assert not watch.look.look()
    assert not watch.look.look()
    assert watch.events == []


def test_on_the_embedded_device_the_observer_only_looks(stand: Stand) -> None:
    stand.start()
    watch = Watch(stand, TX)
    stand.send()
    assert watch.look.wait_quiescent() == "quiescent"
    assert [event for event in watch.events if isinstance(event.data, Snapshot | Count | Private)] == []


def test_a_ring_that_was_not_kicked_is_still(stand: Stand) -> None:
    stand.start()
    watch = Watch(stand, TX)
    stand.memory.write(BUFFER, bytes(54))
    stand.tx.add(out=[(BUFFER, 54)])
    stand.tx.publish()
    assert watch.look.wait_quiescent() == "still"


def test_receive_is_quiescent_when_the_port_is_empty_and_nothing_changes(stand: Stand) -> None:
    stand.start()
    stand.provide()
    watch = Watch(stand, RX)
    stand.send()
    stand.used(RX, 1)
    assert watch.look.wait_quiescent() == "quiescent"


def test_a_frame_without_a_buffer_leaves_receive_still(stand: Stand) -> None:
    stand.start()
    watch = Watch(stand, RX)
    stand.port._theirs.send(bytes(72))
    assert watch.look.wait_quiescent() == "still"


def test_a_refused_look_ends_with_the_errno(stand: Stand) -> None:
    stand.start()
    watch = Watch(stand, TX)
    stand.device.reset_owner()
    assert watch.look.wait_quiescent() == "EPERM"


def test_always_moving_is_a_time_out(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.start()
    watch = Watch(stand, TX)
    stand.rings[TX].store_avail_idx(1)
    stand.rings[TX].write_desc(0, Desc(0x30000, 1))
    monkeypatch.setattr(watch.look, "look", lambda: True)
    with pytest.raises(TimedOut):
        watch.look.wait_quiescent(0.3)


def test_a_torn_look_is_thrown_away(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """used.idx moves between the first and the second read of a look, twice; the third look is whole."""
    stand.start()
    watch = Watch(stand, TX)
    reads = iter([5, 6, 6, 7, 7, 7])
    monkeypatch.setattr(Ring, "load_used_idx", lambda ring: next(reads, 7))
    assert watch.look._read_twice().used_idx == 7
    assert next(reads, None) is None


def test_a_ring_that_never_holds_still_is_a_time_out(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.start()
    watch = Watch(stand, TX)
    ticks = iter(range(1_000_000))
    monkeypatch.setattr(Ring, "load_used_flags", lambda ring: next(ticks))
    with pytest.raises(TimedOut):
        watch.look.look()


def test_after_a_frame_came_in_the_private_index_is_known(opaque: Stand) -> None:
    opaque.start()
    opaque.provide()
    watch = Watch(opaque, RX)
    opaque.send()
    opaque.used(RX, 1)
    assert watch.look.wait_quiescent() == "quiescent"
    assert [event.data.after for event in watch.of(Private)] == [1]  # type: ignore[union-attr]
    before = len(watch.of(Ioctl))
    assert watch.look.wait_quiescent() == "quiescent"
    assert len(watch.of(Ioctl)) == before
