"""The embedded device with its C engine: what it counts, shows and holds; what it does when memory goes away."""

from __future__ import annotations

import errno
import mmap
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.device.conftest import ARP, BUFFER, FEATURES, Make, Stand, both_gears
from tests.support import wait_until
from tour.abi import native
from tour.abi.names import Feature
from tour.device.contract import RX, TX, RingAddresses
from tour.errors import RingFault
from tour.memory.table import MemoryTable, Region
from tour.net.null import NullPort
from tour.trace.events import Action, Broken, Count, Store
from tour.virtqueue.ring import Desc


@pytest.fixture
def engine(make: Make) -> Stand:
    return make(gear="engine")


def test_it_tells_nothing_of_its_steps(engine: Stand) -> None:
    engine.start()
    engine.send()
    engine.used(TX, 1)
    assert not engine.device.told
    assert engine.of(Action) == [] and [store for store in engine.of(Store) if store.field.startswith("used")] == []


@both_gears
def test_counts_are_of_what_went_through(make: Make) -> None:
    stand = make()
    stand.start()
    stand.provide()
    stand.rest()
    for n in range(3):
        stand.send()
        stand.used(TX, n + 1)
        stand.used(RX, n + 1)
    stand.rest()
    out, into = stand.device.counters(TX), stand.device.counters(RX)
    assert (out.chains, out.packets, out.bytes, out.dropped) == (3, 3, 3 * len(ARP), 0)
    assert (into.chains, into.packets, into.bytes) == (3, 3, 3 * len(ARP))
    assert out.kicks == 3 and 3 <= out.turns <= 8
    assert out.calls == stand.count(TX, "call") == 3 and out.calls_saved == 0
    stand.device.close()
    assert stand.device.counters(TX)[:4] == out[:4]


@both_gears
def test_where_a_ring_is(make: Make) -> None:
    stand = make()
    assert not stand.device.status(TX).attached
    stand.start()
    stand.send()
    stand.used(TX, 1)
    stand.rest()
    status = stand.device.status(TX)
    assert status[:3] == (1, 1, 1) and status.attached and status.kicks_wanted and not status.held
    assert stand.device.stop(TX) == 1
    status = stand.device.status(TX)
    assert status.last_avail_idx == 1 and not status.attached


@both_gears
def test_slow_motion_takes_what_was_released_and_no_more(make: Make) -> None:
    stand = make()
    stand.start(TX)
    stand.device.hold(TX, True)
    for _ in range(5):
        stand.send()
    stand.rest()
    assert stand.rings[TX].load_used_idx() == 0 and stand.device.status(TX).held
    for n in (1, 2):
        stand.device.release(TX)
        stand.used(TX, n)
        stand.rest()
        assert stand.rings[TX].load_used_idx() == n
    stand.device.hold(TX, False)
    stand.used(TX, 5)
    assert not stand.device.status(TX).held


@both_gears
def test_no_chain_is_taken_that_is_published_after_hold_returned(make: Make) -> None:
    stand = make()
    stand.start(TX)
    for sent in range(2, 400, 2):
        stand.send()
        stand.device.hold(TX, True)
        taken = stand.device.status(TX).last_avail_idx
        stand.send()
        stand.rest()
        assert stand.device.status(TX).last_avail_idx == taken
        stand.device.hold(TX, False)
        stand.used(TX, sent)
        while stand.tx.reap():
            stand.port.read()


@both_gears
def test_the_last_packet_is_copied_for_who_asks(make: Make) -> None:
    stand = make()
    stand.start()
    stand.provide()
    assert stand.device.last_packet(TX) is None and stand.device.last_packet(RX) is None
    stand.send(b"\1" * 12 + ARP)
    stand.used(TX, 1)
    stand.used(RX, 1)
    stand.rest()
    assert stand.device.last_packet(TX, want=False) == b"\1" * 12 + ARP
    answer = stand.device.last_packet(RX, want=False)
    assert answer is not None and len(answer) == 12 + len(ARP) and answer[12:18] == ARP[6:12]
    stand.send()
    stand.used(TX, 2)
    assert stand.device.last_packet(TX, want=False) is None


@both_gears
def test_a_broken_ring_says_why_and_heals_when_detached(make: Make) -> None:
    stand = make(on_violation="quarantine")
    stand.start(TX)
    stand.rings[TX].write_desc(0, Desc(0x20000, 64))
    stand.rings[TX].store_avail_entry(0, 0)
    stand.rings[TX].store_avail_idx(1)
    stand.kick()
    wait_until(lambda: stand.of(Broken), "the ring to break")
    assert stand.device.broken(TX) == RingFault.BAD_ADDRESS and stand.device.broken(RX) is None
    assert [count.count for count in stand.of(Count) if count.doorbell == "err"] == [1]
    base = stand.device.stop(TX)
    stand.rings[TX].write_desc(0, Desc(BUFFER, 64))
    stand.device.set_vring_base(TX, base)
    stand.device.start(TX, stand.port)
    stand.used(TX, 1)
    assert stand.device.broken(TX) is None


def test_a_look_from_other_threads_while_it_is_closed(engine: Stand) -> None:
    engine.start()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            engine.device.counters(TX)
            engine.device.status(RX)
            engine.device.last_packet(TX)

    thread = threading.Thread(target=look)
    thread.start()
    for n in range(20):
        engine.send()
        engine.used(TX, n + 1)
        engine.tx.reap()
    engine.device.close()
    ended.set()
    thread.join(5)
    assert not thread.is_alive() and not engine.device.status(TX).attached


def test_control_after_closing_is_refused(engine: Stand) -> None:
    engine.start()
    engine.device.close()
    with pytest.raises(OSError) as refused:
        engine.device.start(TX, engine.port)
    assert refused.value.errno == errno.EPERM
    engine.device.close()


@both_gears
def test_another_header_is_agreed_on_while_the_rings_run(make: Make) -> None:
    stand = make()
    stand.start(features=0)
    stand.device.set_features(FEATURES)
    stand.provide()
    stand.send()
    stand.used(TX, 1)
    stand.used(RX, 1)
    used = stand.rx.reap()
    assert used is not None and used.len == 12 + len(ARP)


def test_busy_polling_saves_kicks_and_ends(make: Make) -> None:
    stand = make(gear="engine", busy_poll_us=20000)
    stand.start(TX, features=FEATURES | Feature.VIRTIO_RING_F_EVENT_IDX.mask)
    for n in range(5):
        stand.send()
        stand.used(TX, n + 1)
    stand.rest()
    assert stand.device.counters(TX).chains == 5


@both_gears
def test_the_null_port_discards(make: Make) -> None:
    stand = make()
    with closing(NullPort()) as port:
        stand.port = port  # type: ignore[assignment]
        stand.start()
        stand.send()
        stand.used(TX, 1)
        stand.provide()
        stand.rest()
        assert stand.device.counters(TX).packets == 1 and stand.rings[RX].load_used_idx() == 0


class Shrinking:
    """Guest memory of one file, that its owner makes shorter under us."""

    def __init__(self, folder: Path, size: int) -> None:
        self.file = open(folder / "memory", "w+b")  # noqa: SIM115 - lives as long as the mapping
        self.file.truncate(size)
        self.pages = mmap.mmap(self.file.fileno(), size)
        self.hva = native.address_of(self.pages)
        self.table = MemoryTable([Region(0, size, self.hva)])

    def close(self) -> None:
        """The mapping goes last."""
        self.pages.close()
        self.file.close()


@pytest.fixture
def shrinking(tmp_path: Path) -> Iterator[Shrinking]:
    memory = Shrinking(tmp_path, 0x40000)
    yield memory
    memory.close()


def _on(stand: Stand, memory: Shrinking) -> RingAddresses:
    """Tell the device of that memory, its TX ring in the first page."""
    stand.device.set_owner()
    stand.device.set_features(FEATURES)
    stand.device.set_mem_table(memory.table)
    stand.device.set_vring_num(TX, 8)
    where = RingAddresses(memory.hva, memory.hva + 0x1000, memory.hva + 0x2000)
    stand.device.set_vring_addr(TX, where)
    stand.device.set_vring_kick(TX, stand.fds[TX]["kick"])
    stand.device.set_vring_err(TX, stand.fds[TX]["err"])
    return where


def test_memory_truncated_under_a_running_ring_breaks_it_and_nothing_else(make: Make, shrinking: Shrinking) -> None:
    stand = make(gear="engine", on_violation="quarantine")
    _on(stand, shrinking)
    stand.device.start(TX, stand.port)
    stand.rest()
    shrinking.file.truncate(0x1000)
    stand.kick()
    wait_until(lambda: stand.of(Broken), "the ring to break")
    assert stand.device.broken(TX) == RingFault.BAD_ADDRESS
    assert stand.count(TX, "err") == 1
    stand.device.stop(TX)
    shrinking.file.truncate(0x40000)
    stand.device.start(TX, stand.port)
    stand.rest()
    assert stand.device.broken(TX) is None and stand.device.status(TX).attached


@both_gears
def test_starting_on_truncated_memory_is_refused(make: Make, shrinking: Shrinking) -> None:
    stand = make()
    _on(stand, shrinking)
    shrinking.file.truncate(0x1000)
    with pytest.raises(OSError) as refused:
        stand.device.start(TX, stand.port)
    assert refused.value.errno == errno.EFAULT
    assert not stand.device.status(TX).attached
