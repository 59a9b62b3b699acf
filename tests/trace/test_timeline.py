"""A run that can be looked at anywhere: seeking equals folding, stops, marks, and the memory a fork needs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace import hostile
from tests.trace.recordings import HELLO, events, reference
from tour.trace import events as ev
from tour.trace import timeline as module
from tour.trace.fold import FoldError, fold
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
    assert list(timeline.visible()) == stops and len(stops) > 20
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
