"""A run that can be looked at anywhere: seeking equals folding, stops, marks, and the memory a fork needs."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace import hostile
from tests.trace.recordings import HELLO, events, reference
from tour.trace import events as ev
from tour.trace import timeline as module
from tour.trace.fold import KEYS_KEPT, FoldError, fold
from tour.trace.state import State
from tour.trace.timeline import Mark, Timeline

RUN = reference().events


def folded(run: tuple[ev.Event, ...] | list[ev.Event]) -> list[State]:
    states = [State()]
    for event in run:
        states.append(fold(states[-1], event))
    return states


@pytest.mark.parametrize("every", [1, 3, 256])
@pytest.mark.parametrize("order", ["forwards", "backwards", "jumping"])
def test_any_position_equals_plain_folding(monkeypatch: pytest.MonkeyPatch, every: int, order: str) -> None:
    monkeypatch.setattr(module, "KEYFRAME_EVERY", every)
    timeline, states = Timeline(RUN), folded(RUN)
    positions = list(range(len(RUN) + 1))
    if order == "backwards":
        positions.reverse()
    elif order == "jumping":
        positions = [position * 37 % len(positions) for position in positions]
    for position in positions:
        assert timeline.at(position) == states[position], position


def test_positions_out_of_range_are_clamped() -> None:
    timeline = Timeline(RUN)
    assert timeline.at(-5) == State() and timeline.at(10**9) is timeline.edge
    assert len(timeline) == len(RUN)


def test_the_past_stays_what_it_was_while_the_run_goes_on() -> None:
    half = len(RUN) // 2
    timeline = Timeline(RUN[:half])
    past = [timeline.at(position) for position in range(half)]
    for event in RUN[half:]:
        timeline.append(event)
    assert [timeline.at(position) for position in range(half)] == past


def test_stops_are_the_events_with_a_sentence_in_both_directions() -> None:
    timeline, states = Timeline(RUN), folded(RUN)
    stops = [position for position in range(1, len(RUN) + 1) if states[position].last is RUN[position - 1]]
    assert timeline.stops == stops and len(stops) > 20
    edge = len(RUN)
    for position in range(edge + 1):
        later = [stop for stop in stops if stop > position]
        shown = [stop for stop in stops if stop <= position]
        assert timeline.next_stop(position) == (later[0] if len(later) > 1 else edge)
        assert timeline.previous_stop(position) == (shown[-2] if len(shown) > 1 else 0)


def test_marks_lie_before_a_step_and_after_it() -> None:
    timeline = Timeline(RUN)
    begin, end = timeline.mark("publish"), timeline.mark("publish", end=True)
    assert begin is not None and end is not None
    assert timeline.at(begin.position).tx.avail_idx == 0 and timeline.at(end.position).tx.avail_idx == 1
    assert isinstance(RUN[begin.position].data, ev.Step)
    assert timeline.mark_before(begin.position) == Mark(begin.position, "publish", False)
    assert timeline.mark_before(end.position - 1) == begin and timeline.mark_before(0) is None
    assert timeline.mark("no such step") is None


def test_an_event_that_does_not_fit_leaves_the_timeline_as_it_was() -> None:
    timeline = Timeline(events(HELLO))
    with pytest.raises(FoldError):
        timeline.append(events(ev.Kick(7, 9, 1))[0])
    assert len(timeline) == 1 and timeline.edge.hello == HELLO


def laid(image: list[tuple[int, bytes]]) -> dict[int, int]:
    return {gpa + i: byte for gpa, data in image for i, byte in enumerate(data)}


def test_the_image_is_guest_memory_at_that_point() -> None:
    timeline = Timeline(RUN)
    mark = timeline.mark("call")
    assert mark is not None
    state, memory = timeline.at(mark.position), laid(timeline.image(mark.position))
    tx = state.tx

    def word(gpa: int, size: int = 2) -> int:
        return int.from_bytes(bytes(memory[gpa + i] for i in range(size)), "little")

    assert word(tx.place_avail + 2) == tx.avail_idx == 1
    assert word(tx.place_used + 2) == tx.used_idx == 1, "seen in a snapshot only"
    assert word(tx.place_desc, 8) == 0x40000 and word(tx.place_desc + 8, 4) == 54
    assert (word(tx.place_used + 4, 4), word(tx.place_used + 8, 4)) == tx.used_ring[0]
    buffer = bytes(memory[0x40000 + i] for i in range(54))
    assert buffer[12:18] == b"\xff" * 6 and buffer[24:26] == b"\x08\x06"
    assert 0x40000 not in laid(timeline.image(timeline.mark("frame").position))  # type: ignore[union-attr]


LARGE = 32768


def long_run(num: int, count: int) -> list[ev.Event]:
    """A transmit ring of ``num`` slots at work, all told in one step that never ends."""
    made: list[ev.AnyPayload] = [ev.RingPlace(1, num, 0, 16 * num, 32 * num)]
    turn = 0
    while len(made) < count:
        slot, idx = turn % num, (turn + 1) & 0xFFFF
        made += [
            ev.Write(1, 0x4000000 + 2048 * (turn % 64), "", f"{turn % 256:02x}"),
            ev.Store(1, f"desc[{slot}]", 0, "", "00", [0] * 4, [0x40000, 54, 0, 0]),
            ev.Store(1, f"avail.ring[{slot}]", 0, "", "00", [0], [slot]),
            ev.Store(1, "avail.idx", 0, "", "00", [0], [idx]), ev.Private(1, "last_avail_idx", 0, idx),
            ev.Store(1, f"used.ring[{slot}]", 0, "", "00", [0, 0], [slot, 0]),
            ev.Store(1, "used.idx", 0, "", "00", [0], [idx]), ev.Call(1, 10, turn + 1),
            ev.Action("reap", 1, {"head": slot}),
        ]  # fmt: skip
        turn += 1
    return events(*made[:count])


@pytest.mark.parametrize("num", [8, LARGE])
def test_looking_anywhere_folds_at_most_from_the_last_keyframe(monkeypatch: pytest.MonkeyPatch, num: int) -> None:
    timeline = Timeline(long_run(num, 5000))
    folds = [0]

    def counted(state: State, event: ev.Event) -> State:
        folds[0] += 1
        return fold(state, event)

    monkeypatch.setattr(module, "fold", counted)
    for position in (4999, 1, 2500, 2499, 4097, 255, 256, 257, 3):
        folds[0] = 0
        timeline.at(position)
        assert folds[0] < module.KEYFRAME_EVERY, position
    folds[0] = 0
    for position in range(0, 5000, 37):
        timeline.next_stop(position), timeline.previous_stop(position), timeline.image(position)
    assert folds[0] == 0


def test_a_state_of_a_large_ring_shares_its_rows_with_the_one_before() -> None:
    """What a keyframe keeps for itself does not grow with the ring: measured as what 2000 more events add."""
    tracemalloc.start()
    timeline = Timeline(long_run(LARGE, 10))
    run = long_run(LARGE, 5010)[10:]
    before = tracemalloc.get_traced_memory()[0]
    for event in run:
        timeline.append(event)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    keyframes = 5000 // module.KEYFRAME_EVERY
    assert grown < 5000 * 100 + keyframes * 100_000, "three tables copied would be 786432 bytes a keyframe"


def test_a_step_without_end_keeps_the_words_that_changed() -> None:
    timeline = Timeline(long_run(LARGE, 20_000))
    assert len(timeline.edge.step_changed) < 2 * KEYS_KEPT
    assert {"tx.avail.idx", "tx.used.idx", "tx.call.count"} <= timeline.edge.step_changed


def test_an_image_keeps_a_buffer_written_again_once_and_every_store() -> None:
    run = long_run(8, 9001)
    image = Timeline(run).image(9001)
    stores = sum(isinstance(event.data, ev.Store) for event in run)
    assert len(image) == stores + 64


def test_later_writes_lie_over_earlier_ones() -> None:
    timeline = Timeline(events(ev.Write(1, 4, "", "aabbcc"), ev.Write(1, 5, "", "00")))
    assert laid(timeline.image(2)) == {4: 0xAA, 5: 0, 6: 0xCC}
    assert laid(timeline.image(1)) == {4: 0xAA, 5: 0xBB, 6: 0xCC}


@settings(max_examples=40, deadline=None)
@given(st.lists(hostile.events, max_size=15))
def test_whatever_was_taken_can_be_looked_at_and_forked_from(sent: list[ev.Event]) -> None:
    timeline = Timeline(events(ev.RingPlace(0, 2, 0, 64, 128), ev.RingPlace(1, 8, 256, 512, 1024)))
    for event in sent:
        try:
            timeline.append(event)
        except FoldError:
            continue
    for position in range(len(timeline) + 1):
        timeline.at(position)
        timeline.image(position)
        assert 0 <= timeline.previous_stop(position) <= position <= timeline.next_stop(position) <= len(timeline)
