"""The sampler: what it tells of a ring at work, that it tells nothing for nobody, and that it cannot fault."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.device.conftest import FEATURES, Stand
from tests.support import wait_until
from tour.abi.names import Feature
from tour.device import look as looking
from tour.device.contract import RX, TX
from tour.device.look import Standing, look
from tour.device.sampler import NICE, EmbeddedEye, Pace, Sampler
from tour.errors import UsageError
from tour.trace.events import Error, Event, Rates, Sample
from tour.trace.fold import fold_all
from tour.trace.recorder import Recorder
from tour.virtqueue.layout import RingLayout

EVENT_IDX = FEATURES | 1 << Feature.VIRTIO_RING_F_EVENT_IDX


def told(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event.data, kind)]


# -- one look ---------------------------------------------------------------------------------------------


def test_a_look_shows_what_memory_holds(stand: Stand) -> None:
    stand.start(features=EVENT_IDX)
    head = stand.send()
    stand.rest()
    sample = look(EmbeddedEye(stand.device, TX))
    assert sample is not None and sample.steady and sample.running
    ring = stand.rings[TX]
    assert (sample.num, sample.avail_idx, sample.used_idx) == (8, ring.load_avail_idx(), ring.load_used_idx())
    assert (sample.used_event, sample.avail_event) == (ring.load_used_event(), ring.load_avail_event())
    assert sample.last_avail_idx == 1 and [0, head] in sample.avail and [0, head, 0] in sample.used
    assert [head, *ring.read_desc(head)] in sample.desc
    assert sample.t_from <= sample.t_to


def test_event_words_are_told_only_where_they_count(stand: Stand) -> None:
    stand.start()
    sample = look(EmbeddedEye(stand.device, TX))
    assert sample is not None and sample.used_event is None and sample.avail_event is None


def test_nothing_is_told_twice(stand: Stand) -> None:
    stand.start()
    eye = EmbeddedEye(stand.device, TX)
    sample = look(eye)
    assert look(eye, sample) is None
    stand.send()
    stand.rest()
    assert look(eye, sample) is not None


def test_a_ring_that_is_not_attached_is_not_looked_at(stand: Stand) -> None:
    assert look(EmbeddedEye(stand.device, TX)) is None


def test_a_folded_sample_is_the_ring_in_memory(stand: Stand) -> None:
    stand.start()
    for _ in range(3):
        stand.send()
    stand.rest()
    sample = look(EmbeddedEye(stand.device, TX))
    assert sample is not None
    ring = fold_all([Event(0, 0, "device", "observer", sample)]).tx
    real = stand.rings[TX]
    assert [ring.avail_ring[n] for n in range(3)] == [real.read_avail_entry(n) for n in range(3)]
    assert [ring.used_ring[n] for n in range(3)] == [tuple(real.read_used_entry(n)) for n in range(3)]


class Moving:
    """An eye on memory of its own that something else moves at every read."""

    queue = TX
    exact = True

    def __init__(self, num: int = 8, moves: Callable[[], None] = lambda: None) -> None:
        self.place = RingLayout(num, 0, 16 * num, 32 * num)
        self.memory = bytearray(64 * num)
        self.moves = moves

    def stands(self) -> Standing:
        return Standing(self.place, False)

    def totals(self) -> Rates | None:
        return None

    def read(self, address: int, size: int) -> bytes:
        self.moves()
        return bytes(self.memory[address : address + size])

    def bump(self, address: int) -> None:
        value = int.from_bytes(self.memory[address : address + 2], "little") + 1 & 0xFFFF
        self.memory[address : address + 2] = value.to_bytes(2, "little")


def test_a_ring_that_never_rests_is_told_as_moving() -> None:
    eye = Moving()
    eye.moves = lambda: eye.bump(eye.place.avail_idx)
    sample = look(eye)
    assert sample is not None and not sample.steady


def test_only_entries_that_two_reads_showed_alike_are_told() -> None:
    eye = Moving()

    def moves() -> None:
        eye.bump(eye.place.used_idx)
        eye.bump(eye.place.avail_ring(3))

    eye.moves = moves
    sample = look(eye)
    assert sample is not None and [row for row in sample.avail if row[0] == 3] == []
    assert len(sample.avail) == 7


def test_indices_that_only_grow_are_never_out_of_order(stand: Stand) -> None:
    """used.idx <= last_avail_idx <= avail.idx in every sample, also while the ring is at work."""
    stand.start()
    ends = threading.Event()

    def work() -> None:
        while not ends.is_set():
            stand.send()
            stand.rest()
            while stand.tx.reap() is not None:
                pass

    worker = threading.Thread(target=work)
    worker.start()
    try:
        eye = EmbeddedEye(stand.device, TX)
        for _ in range(300):
            sample = look(eye)
            assert sample is not None and sample.last_avail_idx is not None
            behind = (
                (sample.avail_idx - sample.last_avail_idx) & 0xFFFF,
                (sample.last_avail_idx - sample.used_idx) & 0xFFFF,
            )
            assert max(behind) <= 8
    finally:
        ends.set()
        worker.join()


@pytest.mark.parametrize(("num", "waiting"), [(8, 3), (256, 0), (256, 32), (256, 256), (32768, 30000)])
def test_a_sample_tells_a_window_of_any_ring(num: int, waiting: int) -> None:
    eye = Moving(num)
    eye.memory[eye.place.avail_idx : eye.place.avail_idx + 2] = waiting.to_bytes(2, "little")
    sample = look(eye)
    assert sample is not None
    slots = [row[0] for row in sample.avail]
    assert len(slots) == len(set(slots)) == min(looking.WINDOW, num) and all(0 <= slot < num for slot in slots)
    assert (waiting - 1) % num == slots[-1] and len(sample.desc) <= looking.WINDOW
    if waiting > looking.WINDOW:
        assert slots[0] == 0


def test_a_chain_that_loops_or_leads_outside_is_told_as_it_stands() -> None:
    eye = Moving()
    eye.memory[0:16] = bytes(12) + b"\x01\x00" + b"\x01\x00"
    eye.memory[16:32] = bytes(12) + b"\x01\x00" + b"\xff\xff"
    sample = look(eye)
    assert sample is not None and sorted(row[0] for row in sample.desc) == [0, 1]


# -- the thread -------------------------------------------------------------------------------------------


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def sampler(stand: Stand, events: list[Event]) -> Iterator[Sampler]:
    eyes = [EmbeddedEye(stand.device, RX), EmbeddedEye(stand.device, TX)]
    made = Sampler(lambda: eyes, Recorder(events.append))
    yield made
    made.close()


def test_it_tells_samples_and_totals_while_somebody_watches(
    stand: Stand, sampler: Sampler, events: list[Event]
) -> None:
    stand.start()
    sampler.wanted(True)
    stand.send()
    wait_until(lambda: any(e.data.queue == TX and e.data.used_idx == 1 for e in told(events, Sample)), "a sample")  # type: ignore[union-attr]
    samples, totals = told(events, Sample), told(events, Rates)
    assert all(event.inferred and event.source == "observer" for event in samples)
    assert any(event.data.packets == 1 and event.data.kicks == 1 for event in totals)  # type: ignore[union-attr]


def test_for_nobody_it_does_nothing(stand: Stand, sampler: Sampler, events: list[Event]) -> None:
    stand.start()
    folder = f"/proc/self/task/{sampler._thread.native_id}"

    def switches() -> str:
        with open(f"{folder}/status", encoding="ascii") as status:
            return next(line for line in status if line.startswith("voluntary_ctxt_switches"))

    sampler.wanted(True)
    wait_until(lambda: bool(events), "a first look")
    sampler.wanted(False)
    time.sleep(0.1)
    seen, before = len(events), switches()
    stand.send()
    time.sleep(0.3)
    assert (len(events), switches()) == (seen, before)


def test_a_further_watcher_gets_a_sample_of_every_ring(stand: Stand, sampler: Sampler, events: list[Event]) -> None:
    stand.start()
    sampler.wanted(True)
    wait_until(lambda: len(told(events, Sample)) == 2, "both rings")
    sampler.wanted(True)
    wait_until(lambda: len(told(events, Sample)) == 4, "both rings again")


def test_a_ring_that_stops_is_told_once(stand: Stand, sampler: Sampler, events: list[Event]) -> None:
    stand.start()
    sampler.wanted(True)
    wait_until(lambda: len(told(events, Sample)) == 2, "both rings")
    stand.device.stop(TX)
    wait_until(lambda: len(told(events, Sample)) == 3, "the end of one")
    last = events[-1].data if isinstance(events[-1].data, Sample) else told(events, Sample)[-1].data
    assert isinstance(last, Sample) and last.queue == TX and not last.running
    stand.device.start(TX, stand.port)
    wait_until(lambda: told(events, Sample)[-1].data.running, "it runs again")  # type: ignore[union-attr]


def test_rings_of_a_front_end_that_left_are_told_to_rest(stand: Stand, events: list[Event]) -> None:
    stand.start()
    eyes = [EmbeddedEye(stand.device, TX)]
    sampler = Sampler(lambda: eyes, Recorder(events.append))
    sampler.wanted(True)
    wait_until(lambda: bool(told(events, Sample)), "a sample")
    eyes.clear()
    wait_until(lambda: not told(events, Sample)[-1].data.running, "the end")  # type: ignore[union-attr]
    sampler.close()
    assert len(told(events, Sample)) == 2


def test_memory_that_is_gone_ends_nothing(stand: Stand, sampler: Sampler, events: list[Event]) -> None:
    """A front end may truncate the file behind guest memory: a load would be SIGBUS, a copy is refused."""
    stand.start()
    for region in stand.memory.table.regions:
        os.ftruncate(region.fd, 0)
    eye = EmbeddedEye(stand.device, TX)
    with pytest.raises(OSError):
        look(eye)
    sampler.wanted(True)
    sampler.tick()
    assert told(events, Sample) == [] and sampler._thread.is_alive()


def test_a_defect_of_its_own_is_told(stand: Stand, events: list[Event]) -> None:
    class Bad(Moving):
        def stands(self) -> Standing:
            raise ZeroDivisionError("a defect")

    sampler = Sampler(lambda: [Bad()], Recorder(events.append))
    sampler.wanted(True)
    wait_until(lambda: bool(told(events, Error)), "an error")
    sampler.close()


def test_it_is_nice(sampler: Sampler) -> None:
    tid = sampler._thread.native_id
    assert tid is not None
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, tid) == NICE, "the thread to be nice")
    assert os.getpriority(os.PRIO_PROCESS, os.getpid()) == os.getpriority(os.PRIO_PROCESS, 0)


def test_totals_that_rest_are_told_a_little_longer(stand: Stand, sampler: Sampler, events: list[Event]) -> None:
    stand.start()
    sampler.wanted(True)
    wait_until(lambda: bool(told(events, Rates)), "totals")
    first = told(events, Rates)[0].t
    wait_until(lambda: time.monotonic_ns() - told(events, Rates)[-1].t > 300_000_000, "no more totals")
    assert 1_000_000_000 < told(events, Rates)[-1].t - first < 2_000_000_000


# -- the pace ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hertz", [0, 0.5, 21, -1, float("nan")])
def test_a_rate_that_cannot_be_is_refused(sampler: Sampler, hertz: float) -> None:
    with pytest.raises(UsageError):
        sampler.set_rate(hertz)
    sampler.set_rate(4)
    assert sampler.pace == 4


class Cores:
    """/proc/stat and a clock as a test wants them: a tick is 10 ms, ``share`` of them idle."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.share, self.idle = 100.0, 1.0, 0.0
        monkeypatch.setattr("tour.device.sampler._ticks", lambda: (self.idle, self.now * 100))
        monkeypatch.setattr("tour.device.sampler.time.monotonic", lambda: self.now)

    def pass_to(self, then: float) -> None:
        self.idle += (then - self.now) * 100 * self.share
        self.now = then

    def seconds(self, pace: Pace, count: float) -> float:
        end = self.now + count
        while self.now < end:
            self.pass_to(pace.next())
        return pace.hertz


def test_its_pace_falls_when_the_cores_are_busy_and_rises_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Cores(monkeypatch)
    pace = Pace(20)
    assert cores.seconds(pace, 3) == 20
    cores.share = 0.05
    assert cores.seconds(pace, 1.5) == 10 and cores.seconds(pace, 8) == 5
    cores.share = 0.5
    assert cores.seconds(pace, 8) == 20


def test_its_pace_falls_when_it_is_late_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Cores(monkeypatch)
    pace = Pace(20)
    pace.next()
    for hertz in (10, 5, 2.5, 1.25, 1, 1):
        cores.pass_to(cores.now + 2.5)
        assert pace.next() >= cores.now and pace.hertz == hertz


def test_whoever_asks_for_less_gets_less(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Cores(monkeypatch)
    cores.share = 0
    assert cores.seconds(Pace(2), 5) == 2


def test_a_released_chain_is_looked_at_soon_on_busy_cores(sampler: Sampler, events: list[Event], stand: Stand) -> None:
    stand.start()
    sampler.wanted(True)
    wait_until(lambda: len(told(events, Sample)) == 2, "a first look")
    sampler._pace.hertz = 0.5
    looked = len(told(events, Rates))
    wait_until(lambda: len(told(events, Rates)) > looked, "a look two seconds before the next")
    begun = time.monotonic()
    stand.send()
    stand.rest()
    sampler.soon()
    wait_until(lambda: len(told(events, Sample)) > 2, "the next")
    assert time.monotonic() - begun < 0.8


def test_a_measurement_can_ask_for_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Cores(monkeypatch)
    cores.share = 0
    assert cores.seconds(Pace(20, yields=False), 5) == 20
