"""The spectator: where it looks, what it asks of the device, what it keeps; and how fast it says things go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.view.watched import BEGAN, MS, Stream, busy
from tour.agent import protocol
from tour.agent.session import OnEnd, OnEvent, OnProgress
from tour.agent.watch_moment import speeds
from tour.agent.watching import Spectator
from tour.errors import AgentLost
from tour.trace import events as ev
from tour.trace import store

SECOND = 1000 * MS


class Door:
    """A watch door's other end: what was said to it, and a way to let events come."""

    kind = "watch"
    host = ""

    def __init__(self) -> None:
        self.said: list[protocol.AnyCommand] = []
        self.closed = False
        self.tell: OnEvent = lambda event: None
        self.end: OnEnd = lambda why: None

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        self.tell, self.end = on_event, on_end

    def send(self, command: protocol.AnyCommand) -> None:
        self.said.append(command)

    def close(self) -> None:
        self.closed = True


def live(stream: Stream, now: Callable[[], int] | None = None) -> tuple[Spectator, Door]:
    door = Door()
    spectator = Spectator(door, "en", clock=now or (lambda: stream.t))
    spectator.begin()
    spectator.mailbox.attach(spectator.hear)
    for event in stream.events:
        door.tell(event)
    return spectator, door


def test_the_present_is_shown_until_one_looks_elsewhere() -> None:
    stream = Stream().attached().look(published=3)
    spectator, door = live(stream)
    assert spectator.moment().mode == "live" and spectator.moment().watched.sample is not None
    spectator.toggle()
    stream.look(published=1)
    for event in stream.events[-2:]:
        door.tell(event)
    assert spectator.moment().mode == "paused" and spectator.moment().state.tx.avail_idx == 3
    spectator.toggle()
    assert spectator.moment().mode == "live" and spectator.moment().state.tx.avail_idx == 4
    spectator.back()
    assert spectator.moment().mode == "back" and spectator.moment().state.tx.avail_idx == 3
    spectator.forward()
    assert spectator.moment().mode == "live" and spectator.playing


def test_seconds_and_shares_of_time_lead_back() -> None:
    stream = Stream()
    for _ in range(10):
        stream.look(published=1, after=SECOND)
    spectator, _ = live(stream)
    spectator.seconds(-3)
    assert spectator.moment().state.tx.avail_idx == 7
    spectator.seek(0.5)
    assert spectator.moment().state.tx.avail_idx == 5
    spectator.first()
    assert spectator.position == 1
    spectator.live()
    assert spectator.moment().mode == "live"


def test_slow_motion_holds_releases_and_ends_with_us() -> None:
    spectator, door = live(Stream().look())
    assert not spectator.release() and spectator.hold() and spectator.release()
    spectator.choose(0)
    spectator.hold()
    spectator.close()
    said = [(type(one).__name__, getattr(one, "queue", None)) for one in door.said]
    assert said == [("Packet", None), ("Hold", 1), ("Release", 1), ("Hold", 0), ("Resume", 0), ("Resume", 1)]
    assert door.closed


def test_a_worker_that_somebody_else_holds_can_be_let_go() -> None:
    spectator, door = live(Stream().look(held=True))
    assert spectator.moment().held == frozenset({1})
    assert not spectator.hold() and isinstance(door.said[-1], protocol.Resume)


def test_a_refusal_is_a_notice_and_the_end_an_error_that_leaves_all_there() -> None:
    spectator, door = live(Stream().look(published=5))
    door.tell(ev.Event(0, BEGAN, "tour", "tour", ev.Error("There is no queue 9 here.")))
    assert spectator.notice == "There is no queue 9 here."
    door.end(AgentLost("What was watched has ended."))
    assert spectator.moment().mode == "ended" and spectator.error is not None
    assert spectator.moment().state.tx.avail_idx == 5
    spectator.hold()
    assert not any(isinstance(one, protocol.Hold) for one in door.said)


def test_a_recording_begun_in_the_middle_plays_from_there(tmp_path: Path) -> None:
    stream = busy()
    spectator, door = live(stream)
    path = tmp_path / "w.jsonl"
    spectator.record(path)
    stream.look(published=7)
    for event in stream.events[-2:]:
        door.tell(event)
    spectator.stop_recording()
    recording = store.load(path)
    assert recording.whole and recording.hello.lesson == ev.WATCH
    assert [event.seq for event in recording.events] == list(range(len(recording.events)))
    replayed = Spectator(None, "en", recording.events)
    replayed.live()
    shown, kept = replayed.moment(), spectator.moment()
    assert shown.mode == "replay" and shown.watched.sample == kept.watched.sample
    assert shown.state.table == kept.state.table and shown.state.frames[-1].queue == kept.state.frames[-1].queue
    assert shown.t_edge - shown.t_first < SECOND


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_ends_the_recording_and_not_the_watching() -> None:
    stream = Stream().look()
    spectator, door = live(stream)
    spectator.record(Path("/dev/full"))
    assert spectator.unwritten is not None and "cannot be written" in spectator.notice
    assert spectator.recording == "" and spectator.mode == "live"
    spectator.close()
    assert door.closed


def test_a_recording_moves_with_the_clock_and_stops_at_its_end() -> None:
    stream = Stream()
    for _ in range(4):
        stream.look(published=1, after=SECOND)
    now = 0
    spectator = Spectator(None, "en", stream.events, clock=lambda: now)
    spectator.toggle()
    now = 2 * SECOND + 1
    spectator.tick()
    assert spectator.playing and spectator.moment().state.tx.avail_idx == 2
    now = 9 * SECOND
    spectator.tick()
    assert not spectator.playing and spectator.moment().state.tx.avail_idx == 4
    spectator.toggle()
    assert spectator.playing and spectator.position <= 2


def test_rates_are_differences_of_totals_over_about_a_second() -> None:
    stream = Stream()
    for _ in range(30):
        stream.look(published=10, returned=10, kicks=1, after=50 * MS)
    speed = stream.seen().moment().speeds[1]
    assert speed.packets == 200 and speed.bits == 200 * 76 * 8 and speed.kicks == 20 and not speed.guessed
    assert speed.span == 1.0


def test_of_a_foreign_device_chains_are_guessed_from_used_idx_and_nothing_else_is_said() -> None:
    stream = Stream(by="qmp", begin=65500)
    for _ in range(30):
        stream.look(published=10, returned=10, after=50 * MS)
    speed = stream.seen().moment().speeds[1]
    assert speed.guessed and speed.chains == 200 and speed.packets is None and speed.kicks is None
    history = stream.seen().history
    assert speeds(history.points(1, len(history), 48), stream.t + 9 * SECOND).chains == 0


def test_nothing_is_reckoned_across_a_change_of_front_ends() -> None:
    stream = Stream().look(published=500, returned=500, after=SECOND)
    stream.tell(ev.Watching("socket", "/run/guest.sock", 5000, "qemu"), actor="tour")
    stream._totals[1] = (0,) * 6
    stream.look(published=1, returned=1)
    assert stream.seen().moment().speeds[1].packets is None
    assert stream.seen().moment().laps == ()


@pytest.mark.parametrize("chains", [70_000, 65_536, 300_000])
def test_a_step_longer_than_an_index_is_told_by_the_totals(chains: int) -> None:
    stream = Stream().look(published=100).look(published=chains, returned=chains)
    assert stream.seen().moment().laps[-1].returned == chains
    assert stream.seen().moment().laps[-1].published == chains
