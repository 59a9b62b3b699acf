"""The watch door: who may look, what a newcomer is told, commands, watchers that hang or are killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import wait_until
from tour.agent import protocol
from tour.agent.watch_client import WatchSession
from tour.agent.watch_door import QUEUE_MOST, WATCHERS_MOST, Door
from tour.errors import TourError, UsageError
from tour.trace import events as ev
from tour.trace import store
from tour.trace.fold import fold_all
from tour.trace.recorder import Recorder

HELLO = ev.Hello(ev.PROTOCOL, ev.SCHEMA, "0", "embedded", "6.1.0", "null", ev.WATCH, "2026-01-01T00:00:00Z")
SAMPLE = ev.Sample(1, 1, 2, 8, 3, 0, 3, 0, last_avail_idx=3)


class Looks:
    """What the door asked of the sampler."""

    def __init__(self) -> None:
        self.watching = self.packet = self.hurried = 0
        self.hertz = 20.0

    def wanted(self, on: bool) -> None:
        self.watching += 1 if on else -1

    def packets(self, on: bool) -> None:
        self.packet += 1 if on else -1

    def soon(self) -> None:
        self.hurried += 1

    def set_rate(self, hertz: float) -> None:
        if hertz > 20:
            raise UsageError("Too often.")
        self.hertz = hertz


class Hands:
    """What it asked of the device."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.released: list[tuple[int, int]] = []

    def hold(self, queue: int, on: bool) -> None:
        if queue > 3:
            raise UsageError("There is no such queue.")
        (self.held.add if on else self.held.discard)(queue)

    def release(self, queue: int, count: int) -> None:
        self.released.append((queue, count))


class House:
    """A door with a recorder behind it."""

    def __init__(self, path: Path) -> None:
        self.path, self.looks, self.hands = path, Looks(), Hands()
        self.door = Door(path, lambda: HELLO, self.looks, self.hands)
        self.recorder = Recorder(self.door)

    def emit(self, data: ev.AnyPayload, source: ev.Source = "observer") -> None:
        self.recorder.emit(data, actor="device", source=source)


class Visitor:
    """A watcher."""

    def __init__(self, path: Path) -> None:
        self.events: list[ev.Event] = []
        self.ended: list[TourError | None] = []
        self.session = WatchSession(path)
        self.session.start(self.events.append, self.ended.append, lambda text: None)
        self._id = 0

    def says(self, kind: type, *args: object) -> ev.Done:
        self._id += 1
        self.session.send(kind(self._id, *args))
        wait_until(lambda: any(e.data.id == self._id for e in self.of(ev.Done)), "an answer")  # type: ignore[union-attr]
        return next(e.data for e in self.of(ev.Done) if e.data.id == self._id)  # type: ignore

    def of(self, kind: type) -> list[ev.Event]:
        return [event for event in self.events if isinstance(event.data, kind)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "s.watch")
    yield made
    made.door.close()


def visit(house: House) -> Visitor:
    visitor = Visitor(house.path)
    wait_until(lambda: bool(visitor.events), "a hello")
    return visitor


# -- who may look, and what a newcomer is told ------------------------------------------------------------


def test_only_its_owner_may_look(house: House) -> None:
    mode = house.path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_a_newcomer_is_told_what_stands(house: House) -> None:
    house.emit(ev.Watching("socket", "/run/s", 7, "qemu", queues=4))
    for idx in range(5):
        house.emit(replace(SAMPLE, avail_idx=idx))
    house.emit(ev.Broken(3, "chain is longer than its table", "quarantine"))
    visitor = visit(house)
    wait_until(lambda: len(visitor.events) == 3, "what stands")
    house.emit(replace(SAMPLE, avail_idx=4))
    wait_until(lambda: len(visitor.events) == 4, "a new sample")
    state = fold_all(visitor.events)
    assert state.hello == HELLO and state.watching is not None and state.watching.name == "qemu"
    assert (state.tx.avail_idx, state.rings[3].broken) == (4, "chain is longer than its table")
    assert [event.seq for event in visitor.events] == [0, 1, 2, 3]
    assert house.looks.watching == 1


def test_what_happens_then_is_told_without_gaps(house: House) -> None:
    visitor = visit(house)
    house.emit(ev.Store(1, "avail.idx", 0, "", "", [0], [1]), source="device")
    house.emit(ev.Packet("out", "port", "00", "", 1), source="device")
    house.emit(ev.Packet("out", "port", "ff", "", 1))
    house.emit(SAMPLE)
    wait_until(lambda: len(visitor.events) == 3, "both")
    assert [type(event.data) for event in visitor.events] == [ev.Hello, ev.Packet, ev.Sample]
    assert [event.seq for event in visitor.events] == [0, 1, 2]


def test_the_end_is_said(house: House) -> None:
    visitor = visit(house)
    house.door.close()
    wait_until(lambda: bool(visitor.ended), "the end")
    assert visitor.ended == [None] and isinstance(visitor.events[-1].data, ev.Bye)
    assert not house.path.exists()
    house.door = Door(house.path, lambda: HELLO, house.looks, house.hands)


def test_what_was_watched_is_a_recording(house: House, tmp_path: Path) -> None:
    house.emit(ev.Watching("socket", "/run/s"))
    visitor = visit(house)
    house.emit(SAMPLE)
    wait_until(lambda: len(visitor.events) == 3, "a sample")
    house.door.close()
    wait_until(lambda: bool(visitor.ended), "the end")
    writer = store.Writer(tmp_path / "w.jsonl")
    for event in visitor.events:
        writer(event)
    assert writer.close() is None
    recording = store.load(tmp_path / "w.jsonl")
    assert recording.whole and recording.hello.lesson == ev.WATCH
    house.door = Door(house.path, lambda: HELLO, house.looks, house.hands)


def test_a_socket_left_by_a_killed_server_is_taken_over_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "s.watch"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    first = House(path)
    with pytest.raises(UsageError, match="Another server"):
        House(path)
    first.door.close()
    path.write_text("not a socket")
    with pytest.raises(UsageError, match="no socket"):
        House(path)
    assert path.read_text() == "not a socket"


def test_where_nobody_listens_the_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        WatchSession(tmp_path / "nothing")
    assert "tour vhost-user --socket" in refused.value.fix


# -- commands ---------------------------------------------------------------------------------------------


def test_slow_motion(house: House) -> None:
    visitor = visit(house)
    assert visitor.says(protocol.Hold, 1).ok and house.hands.held == {1}
    assert visitor.says(protocol.Release, 1, 3).ok and house.hands.released == [(1, 3)] and house.looks.hurried
    assert visitor.says(protocol.Resume, 1).ok and house.hands.held == set()


def test_the_rate_and_packets(house: House) -> None:
    visitor = visit(house)
    assert visitor.says(protocol.Rate, 5.0).ok and house.looks.hertz == 5
    assert not visitor.says(protocol.Rate, 50.0).ok and house.looks.hertz == 5
    assert [event.data.what for event in visitor.of(ev.Error)] == ["Too often."]  # type: ignore[union-attr]
    visitor.says(protocol.Packet, True)
    visitor.says(protocol.Packet, True)
    assert house.looks.packet == 1
    visitor.session.close()
    wait_until(lambda: house.looks.packet == 0 and house.looks.watching == 0, "it to be gone")


def test_what_cannot_be_done_is_said_to_who_asked(house: House) -> None:
    asks, looks_on = visit(house), visit(house)
    assert not asks.says(protocol.Hold, 9).ok and not asks.says(protocol.Open, "8").ok
    assert len(asks.of(ev.Error)) == 2 and house.hands.held == set()
    house.emit(SAMPLE)
    wait_until(lambda: bool(looks_on.of(ev.Sample)), "a sample")
    assert looks_on.of(ev.Error) == looks_on.of(ev.Done) == []


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"cmd":"hold","id":1}\n', b"x" * 5000, b"\xff\xfe\n"])
def test_what_is_no_command_costs_the_connection(house: House, line: bytes) -> None:
    other = visit(house)
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(house.path))
        rude.sendall(line)
        rude.settimeout(5)
        while rude.recv(65536):
            pass
    assert other.says(protocol.Rate, 5.0).ok


# -- watchers that go, hang or are killed -----------------------------------------------------------------


def test_who_goes_away_lets_go_unless_another_holds(house: House) -> None:
    first, second = visit(house), visit(house)
    first.says(protocol.Hold, 1)
    first.says(protocol.Hold, 0)
    second.says(protocol.Hold, 1)
    first.session.close()
    wait_until(lambda: house.hands.held == {1}, "one hold less")
    second.session.close()
    wait_until(lambda: house.hands.held == set(), "no hold")


HOLDER = """
import sys, time
from pathlib import Path
from tour.agent import protocol
from tour.agent.watch_client import WatchSession
session = WatchSession(Path(sys.argv[1]))
session.start(lambda event: None, lambda why: None, lambda text: None)
session.send(protocol.Hold(1, 1))
time.sleep(60)
"""


def test_a_killed_watcher_lets_go(house: House) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(house.path)])
    try:
        wait_until(lambda: house.hands.held == {1}, "it to hold", 30)
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: house.hands.held == set(), "it to let go")
    finally:
        process.kill()
        process.wait()


def test_a_watcher_that_hangs_loses_events_and_delays_nobody(house: House) -> None:
    other = visit(house)
    big = replace(SAMPLE, desc=[[n % 8, 1 << 40, 1 << 30, 1, 2] for n in range(32)])
    with socket.socket(socket.AF_UNIX) as hangs:
        hangs.connect(str(house.path))
        wait_until(lambda: house.door.watchers == 2, "it to enter")
        longest = 0.0
        for round_ in range(20):
            for _ in range(QUEUE_MOST // 4):
                begun = time.monotonic()
                house.emit(big)
                longest = max(longest, time.monotonic() - begun)
            wanted = (round_ + 1) * (QUEUE_MOST // 4)
            wait_until(lambda wanted=wanted: len(other.of(ev.Sample)) == wanted, "the other to hear all")  # type: ignore
        assert longest < 0.5 and other.of(ev.Lost) == []
        lines = _read_all(hangs, house)
    lost = [event.data.n for event in lines if isinstance(event.data, ev.Lost)]
    heard = sum(isinstance(event.data, ev.Sample) for event in lines)
    assert lost and sum(lost) + heard == 20 * (QUEUE_MOST // 4) + 1
    assert [event.seq for event in lines] == list(range(len(lines)))
    fold_all(lines)


def _read_all(hangs: socket.socket, house: House) -> list[ev.Event]:
    """What a watcher that begins to read at last gets, one more event included."""
    hangs.settimeout(5)
    data = b""
    while data.count(b"\n") < QUEUE_MOST:
        data += hangs.recv(1 << 20)
    house.emit(SAMPLE)
    while not (
        data.endswith(b"\n") and b'"kind":"lost"' in data and data.rindex(b'"kind":"lost"') < data.rindex(b"sample")
    ):
        data += hangs.recv(1 << 20)
    return [ev.decode(line) for line in data.splitlines()]


def test_there_are_only_so_many(house: House) -> None:
    visitors = [visit(house) for _ in range(WATCHERS_MOST)]
    late = Visitor(house.path)
    wait_until(lambda: bool(late.ended), "it to be sent away")
    assert house.door.watchers == WATCHERS_MOST and late.events == []
    for visitor in visitors:
        visitor.session.close()
    wait_until(lambda: house.door.watchers == 0, "all to be gone")


def test_coming_and_going_leaks_nothing(house: House) -> None:
    visit(house).session.close()
    wait_until(lambda: house.door.watchers == 0, "the first to be gone")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        visit(house).session.close()
    wait_until(lambda: house.door.watchers == 0, "all to be gone")
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before, "descriptors to be closed")
    assert house.looks.watching == 0


def test_nobody_watching_costs_no_wake_up(house: House) -> None:
    assert house.door.watchers == 0
    for _ in range(100):
        house.emit(SAMPLE)
    assert not house.door._woken
