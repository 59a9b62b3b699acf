"""The recorder: one order for all threads, the line that acted, and sinks that may fail."""

from __future__ import annotations

import threading

from tour.trace import events as ev
from tour.trace.recorder import Recorder, here


def test_numbers_and_order_hold_between_threads() -> None:
    told: list[ev.Event] = []
    recorder = Recorder(told.append)

    def tell() -> None:
        for _ in range(200):
            recorder.emit(ev.Lost(1), actor="tour")

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in told] == list(range(800))
    assert [event.t for event in told] == sorted(event.t for event in told)


def test_a_sink_that_fails_is_dropped_and_remembered() -> None:
    told: list[ev.Event] = []

    def fail(event: ev.Event) -> None:
        raise OSError("no")

    recorder = Recorder(fail, told.append)
    recorder.emit(ev.Lost(1), actor="tour")
    recorder.emit(ev.Lost(2), actor="tour")
    assert len(told) == 2 and [sink for sink, _ in recorder.dropped] == [fail]


def test_the_source_is_the_actor_unless_said() -> None:
    recorder = Recorder()
    sources = [recorder.emit(ev.Lost(1), actor=actor).source for actor in ("control", "network", "tour")]
    assert sources == ["control", "observer", "tour"]
    assert recorder.emit(ev.Lost(1), actor="device", source="observer").source == "observer"


def test_the_line_that_acted_is_shown() -> None:
    recorder = Recorder()
    event = recorder.emit(ev.Lost(1), actor="tour", frame=here())
    assert event.where.startswith("trace/test_recorder.py:") and event.code.startswith("event = recorder.emit(")
    above = recorder.emit(ev.Lost(1), actor="tour", frame=here(), above=2)
    assert above.code.startswith("event = recorder.emit(")


def test_an_adopted_event_keeps_its_time_and_gets_our_number() -> None:
    early: list[ev.Event] = []
    Recorder(early.append, clock=lambda: 5).emit(ev.Lost(1), actor="tour")
    told: list[ev.Event] = []
    recorder = Recorder(told.append, clock=lambda: 9)
    recorder.emit(ev.Lost(2), actor="tour")
    recorder.adopt(early[0])
    assert [(event.seq, event.t) for event in told] == [(0, 9), (1, 5)]
