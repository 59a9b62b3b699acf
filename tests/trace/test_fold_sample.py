"""Folding what a watcher is told: a sample becomes words and rows, totals become rates, of any queue pair."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.trace.recordings import events
from tour.trace import events as ev
from tour.trace.fold import FoldError, fold_all
from tour.trace.fold_sample import RATES_KEPT
from tour.trace.state import State

SAMPLE = ev.Sample(
    1, 100, 200, 256, 65538 % 65536, 1, 65535, 0, used_event=7, avail_event=9, last_avail_idx=1,
    avail=[[255, 4], [0, 6], [1, 8]], used=[[254, 2, 0]], desc=[[4, 0x40000, 54, 1, 5], [5, 0x50000, 60, 0, 0]],
)  # fmt: skip


def after(*payloads: ev.AnyPayload) -> State:
    return fold_all(events(*payloads, actor="device"))


def test_a_sample_is_a_rings_words_and_rows() -> None:
    ring = after(SAMPLE).tx
    assert (ring.num, ring.avail_idx, ring.used_idx, ring.last_avail_idx) == (256, 2, 65535, 1)
    assert (ring.avail_flags, ring.used_flags, ring.used_event, ring.avail_event) == (1, 0, 7, 9)
    assert (ring.avail_ring[255], ring.used_ring[254], ring.desc[4]) == (4, (2, 0), (0x40000, 54, 1, 5))


def test_the_device_holds_what_was_published_and_not_used_across_the_wrap() -> None:
    assert set(after(SAMPLE).tx.held) == {4, 6, 8}


def test_a_sample_stands_for_itself_whatever_was_lost_before() -> None:
    later = replace(SAMPLE, avail_idx=3, used_idx=2, avail=[[2, 4]], used=[[1, 8, 0]])
    state = after(SAMPLE, later)
    assert state.watched_of(1).before == SAMPLE and state.watched_of(1).sample == later
    assert state.changed >= {"tx.avail.idx", "tx.used.idx", "tx.avail.ring[2]", "tx.used.ring[1]"}
    assert "tx.desc[4]" not in state.changed and set(state.tx.held) == {4}


def test_a_ring_of_another_size_begins_empty() -> None:
    ring = after(SAMPLE, replace(SAMPLE, num=8, avail=[], used=[], desc=[])).tx
    assert ring.num == 8 and set(ring.desc) == {None}


def test_a_queue_of_a_further_pair_has_a_name_of_its_own() -> None:
    state = after(ev.Watching("socket", "/run/s", queues=6), replace(SAMPLE, queue=5), SAMPLE)
    assert state.rings[5].name == "tx2" and state.rings[4].num == 0
    assert [one.queue for one in state.watched] == [1, 5]


def test_another_front_end_leaves_the_rings_behind() -> None:
    state = after(ev.Watching("socket", "s", 7, "uml"), SAMPLE, ev.Watching("socket", "s"))
    assert state.tx.num == 0 and state.watched == ()


def test_a_rate_is_the_difference_of_two_totals() -> None:
    totals = [ev.Rates(1, n * 100_000_000, packets=n * 50, kicks=None) for n in range(30)]
    watched = after(*totals).watched_of(1)
    assert watched.per_second("packets") == 500.0 and watched.per_second("kicks") is None
    assert after(totals[0]).watched_of(1).per_second("packets") is None


def test_hours_of_totals_do_not_add_up() -> None:
    assert len(after(*[ev.Rates(0, n) for n in range(500)]).watched_of(0).rates) == RATES_KEPT


@pytest.mark.parametrize(
    "hostile",
    [
        replace(SAMPLE, queue=2), ev.Watching("socket", "s", queues=257), replace(SAMPLE, num=0),
        replace(SAMPLE, avail_idx=65536),
        replace(SAMPLE, avail=[[256, 0]]), replace(SAMPLE, avail=[[1, 65536]], avail_idx=2),
        replace(SAMPLE, used=[[1]]),
        replace(SAMPLE, desc=[[256, 0, 0, 0, 0]]), ev.Rates(-1, 0),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused(hostile: ev.AnyPayload) -> None:
    with pytest.raises(FoldError):
        after(hostile)
