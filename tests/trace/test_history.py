"""A stream without end: looked back on as far as it is kept, every moment as a fold of everything would have it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.view.watched import BEGAN, MS, Stream, busy
from tour.trace import events as ev
from tour.trace.fold import fold, fold_all
from tour.trace.history import BLOCK_BYTES, History
from tour.trace.state import State

SECOND = 1000 * MS


def kept(stream: Stream, limit: int | None = None) -> History:
    history = History(limit)
    for event in stream.events:
        history.append(event)
    return history


def words(state: State) -> list[object]:
    """What pictures of watching draw of a state."""
    rings = [(one.sample, one.before, one.rates[-1:]) for one in state.watched]
    newest = {frame.queue: frame.frame for frame in state.frames}
    return [state.hello, state.watching, state.table, state.features, state.worker, rings, newest, state.last]


def test_any_moment_is_what_a_fold_of_all_events_before_it_is() -> None:
    stream = busy()
    history = kept(stream)
    state = State()
    for position, event in enumerate(stream.events, 1):
        state = fold(state, event)
        assert words(history.at(position)) == words(state), position


def test_what_is_older_than_the_limit_is_let_go_and_the_rest_stays_as_it_was() -> None:
    stream = Stream().attached()
    for _ in range(600):
        stream.look(published=9, returned=9)
    history = kept(stream, 4 * BLOCK_BYTES)
    assert 0 < history.first < len(history) == len(stream.events)
    assert len(history) - history.first > 100
    for position in (history.first + 2, len(history) - 3):
        assert words(history.at(position))[1:6] == words(fold_all(stream.events[:position]))[1:6]
    assert history.at(0).watched_of(1).sample == history.at(history.first).watched_of(1).sample


def test_stops_are_the_samples_of_one_queue_and_what_has_a_sentence() -> None:
    stream = Stream()
    for queue in (1, 0, 1, 0):
        stream.look(queue, published=1)
    history = kept(stream)
    last = [n for n, event in enumerate(stream.events, 1) if isinstance(event.data, ev.Sample) and event.data.queue]
    assert history.stop_before(len(history), 1) == last[-1]
    assert history.stop_before(last[-1], 1) == last[0]
    assert history.stop_after(last[0], 1) == last[-1]
    assert history.stop_after(last[-1], 1) == len(history)


def test_time_leads_to_a_position_and_back() -> None:
    history = kept(Stream().look(after=SECOND).look(after=SECOND).look(after=SECOND))
    at = history.position_at(BEGAN + 2 * SECOND)
    assert history.time(at) == BEGAN + 2 * SECOND and history.time(at + 1) == BEGAN + 3 * SECOND
    assert history.position_at(0) == 1 and history.position_at(BEGAN * 9) == len(history)


def test_what_stood_before_one_came_does_not_make_the_time_longer() -> None:
    stream = Stream().look()
    late = [replace(stream.events[0], t=BEGAN + 60 * SECOND), *stream.events[1:]]
    history = History()
    for event in late:
        history.append(event)
    assert history.time(1) == history.time(len(history)) == BEGAN + 60 * SECOND


def test_looks_are_apart_as_wanted_and_another_front_end_is_a_gap() -> None:
    stream = Stream()
    for _ in range(100):
        stream.look(published=1, returned=1)
    history = kept(stream)
    spaced = history.points(1, len(history), 4, SECOND)
    assert len(spaced) == 4
    assert all(b.t - a.t >= SECOND for a, b in zip(spaced, spaced[1:], strict=False))
    assert spaced[-1].rates is not None and spaced[-1].rates.chains == 100
    history.append(ev.Event(0, stream.t, "tour", "tour", ev.Watching("socket", "/run/guest.sock", 9, "other")))
    gap = history.points(1, len(history), 1)[0]
    assert gap.sample is None and gap.rates is None


@pytest.mark.parametrize("limit", [None, 2 * BLOCK_BYTES])
def test_a_recording_that_begins_now_brings_one_to_the_present(limit: int | None) -> None:
    stream = busy()
    history = kept(stream, limit)
    assert words(fold_all(history.standing))[:5] == words(history.edge)[:5]
    assert fold_all(history.standing).watched_of(1).sample == history.edge.watched_of(1).sample
