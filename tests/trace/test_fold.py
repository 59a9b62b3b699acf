"""Fold: what each kind of event changes, and that nothing an event may hold breaks it with anything but FoldError."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace import hostile
from tests.trace.recordings import HELLO, events, reference
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.fold import BUFFERS_KEPT, FRAMES_KEPT, LOG_LENGTH, FoldError, fold, fold_all
from tour.trace.state import State

TX, RX = 1, 0
PLACE = ev.RingPlace(TX, 8, 0x1000, 0x1100, 0x1200)
RX_PLACE = ev.RingPlace(RX, 8, 0x8000, 0x8100, 0x8200)


def after(*payloads: ev.AnyPayload, actor: ev.Actor = "driver") -> State:
    return fold_all(events(PLACE, RX_PLACE, *payloads, actor=actor))


def store(field: str, *new: int, queue: int = TX) -> ev.Store:
    return ev.Store(queue, field, 0x1000, "", "", [0] * len(new), list(new))


# -- what each kind changes -------------------------------------------------------------------------------


def test_a_hello_begins_anew() -> None:
    state = after(store("avail.idx", 1), HELLO)
    assert state.hello is HELLO and state.lesson == "8"
    assert state.tx.num == 0 and state.log == () and state.seq == 3


def test_regions_add_up_in_order() -> None:
    low, high = ev.Region(0, 0, 0x1000, 0x7F00, 3, 0), ev.Region(1, 0x4000, 0x1000, 0x8F00, 4, 0)
    assert after(low, high).regions == (low, high)


def test_a_ring_is_placed_blank() -> None:
    ring = after(store("desc[0]", 1, 2, 0, 0), PLACE).tx
    assert (ring.num, ring.place_desc, ring.place_avail, ring.place_used) == (8, 0x1000, 0x1100, 0x1200)
    assert ring.desc == ring.avail_ring == ring.used_ring == (None,) * 8


@pytest.mark.parametrize(
    ("field", "new", "path", "value"),
    [
        ("desc[3]", (0x40000, 54, 0, 0), "tx.desc[3].len", 54),
        ("avail.ring[7]", (5,), "tx.avail.ring[7]", 5),
        ("avail.idx", (65535,), "tx.avail.idx", 65535),
        ("avail.flags", (1,), "tx.avail.flags", 1),
        ("avail.used_event", (9,), "tx.avail.used_event", 9),
        ("used.ring[2]", (4, 12), "tx.used.ring[2].len", 12),
        ("used.idx", (3,), "tx.used.idx", 3),
        ("used.flags", (1,), "tx.used.flags", 1),
        ("used.avail_event", (2,), "tx.used.avail_event", 2),
    ],
)
def test_a_store_changes_its_word_and_says_so(field: str, new: tuple[int, ...], path: str, value: int) -> None:
    state = after(store(field, *new))
    assert paths.read(state, path) == value
    assert state.changed == {f"tx.{field}"}
    assert state.rx == after().rx


def test_who_holds_a_descriptor_from_free_to_free() -> None:
    steps = (
        (store("desc[0]", 0x40000, 54, 1, 4), "driver"),
        (store("desc[4]", 0x50000, 10, 0, 0), "driver"),
        (store("avail.ring[0]", 0), "driver"),
        (store("avail.idx", 1), "device"),
        (store("used.ring[0]", 0, 0), "device"),
        (store("used.idx", 1), "driver"),
        (ev.Action("reap", TX, {"head": 0}), "free"),
    )
    state = after()
    assert state.tx.holder(0) == "free"
    for payload, holder in steps:
        state = fold(state, events(payload)[0])
        assert state.tx.holder(0) == holder, payload
    assert state.tx.holder(4) == "free" and state.tx.num_free == 8


def test_a_loop_of_descriptors_is_walked_once() -> None:
    ring = after(store("desc[0]", 1, 1, 1, 3), store("desc[3]", 1, 1, 1, 0)).tx
    assert ring.chain(0) == (0, 3)


def test_an_index_that_wraps_offers_the_entries_between() -> None:
    ring = after(
        store("avail.idx", 65534), store("avail.ring[6]", 2), store("avail.ring[7]", 3), store("avail.ring[0]", 4),
        store("avail.idx", 1),
    ).tx  # fmt: skip
    assert {2, 3, 4} <= ring.held
    assert (ring.avail_idx, ring.waiting) == (1, 1)


def test_a_snapshot_tells_only_what_differs() -> None:
    state = after(ev.Snapshot(TX, 5, 6, 0, 1, [[0, 2, 60]]), actor="device")
    assert state.tx.used_ring[0] == (2, 60) and state.tx.used_idx == 1
    assert state.changed == {"tx.used.ring[0]", "tx.used.idx"}


def test_private_indices_move_and_unknown_ones_are_passed_over() -> None:
    state = after(ev.Private(TX, "last_avail_idx", 0, 3), ev.Private(TX, "num_free", 8, 7))
    assert state.tx.last_avail_idx == 3 and state.tx.num_free == 8


def test_doorbells_count() -> None:
    bells = [ev.Doorbell(TX, name, fd) for name, fd in (("kick", 9), ("call", 10), ("err", 11))]
    state = after(*bells, ev.Kick(TX, 9, 1), ev.Call(TX, 10, 1), ev.Call(TX, 10, 2), ev.Drain(TX, 10, 2))
    ring = state.tx
    assert (ring.kick.fd, ring.kick.count, ring.kick.total) == (9, 1, 1)
    assert (ring.call.fd, ring.call.count, ring.call.total) == (10, 0, 2)
    told = fold(state, events(ev.Count(TX, "call", 10, 3))[0])
    assert (told.tx.call.count, told.tx.call.total) == (3, 5) and "tx.call.count" in told.step_changed


def test_frames_are_counted_at_the_tap_and_kept_for_a_while() -> None:
    state = after(*[ev.Packet("out", "tap", "ff")] * 20, ev.Packet("in", "tap", "ff"), ev.Packet("out", "port", "ff"))
    assert (state.packets_out, state.packets_in, len(state.frames)) == (20, 1, FRAMES_KEPT)


def test_bytes_in_buffers_are_kept_newest_last() -> None:
    state = after(*[ev.Write(TX, gpa, "", f"{gpa % 256:02x}") for gpa in range(100)])
    assert len(state.buffers) == BUFFERS_KEPT and state.buffers[99] == "63" and 0 not in state.buffers


def test_the_log_is_bounded() -> None:
    assert len(after(*[store("avail.flags", 0)] * 100).log) == LOG_LENGTH


def test_a_step_begins_with_nothing_changed_and_ends_with_its_condition() -> None:
    begun = after(store("avail.idx", 1), ev.Check("x", "a", True, "", ""), ev.Step("8", "kick", "begin"))
    assert (begun.step, begun.ended, begun.checks, begun.step_changed) == ("kick", "", (), frozenset())
    ended = fold_all(events(store("used.idx", 1), ev.Step("8", "kick", "end", "quiescent")), begun)
    assert ended.ended == "quiescent" and ended.step_changed == {"tx.used.idx"}


def test_the_rest_of_the_kinds() -> None:
    peer = ev.Peer("peer", "02::2", "10.0.2.2", "02::1", "10.0.2.1", False)
    state = after(
        peer, ev.Worker("vhost-1", 4712, "ours", "S", 3), ev.Broken(TX, "chain", "kernel"), ev.Lost(2), ev.Lost(3),
        ev.Check("kick", "a", False, "x == 1", "0"), ev.Bye(),
    )  # fmt: skip
    assert (state.peer.ip, state.peer.real) == ("10.0.2.2", False)
    assert (state.worker.name, state.worker.state) == ("vhost-1", "S")
    assert (state.tx.broken, state.lost, state.finished) == ("chain", 5, True)
    assert state.checks[0].actual == "0"


def test_only_events_worth_a_sentence_become_the_last() -> None:
    first = after(store("avail.idx", 1))
    quiet = fold(first, events(ev.Private(TX, "avail_shadow", 0, 1))[0])
    assert quiet.last == first.last and quiet.changed == first.changed
    kinds = [type(state.last.data) for verb in ("publish", "pop") if (state := after(ev.Action(verb, TX))).last]
    assert kinds == [ev.RingPlace, ev.Action]


# -- events that cannot follow ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        store("desc[8]", 1, 2, 3, 4), store("desc[0]", 1), store("desc[-1]", 1, 2, 3, 4), store("avail.idx"),
        store("nothing", 1), store("avail.ring[x]", 1), store("avail.idx", 1, queue=2), store("avail.idx", 1, queue=-1),
        ev.Store(TX, "avail.idx", 0, "", "zz", [0], [1]), ev.Write(TX, 0, "", "0"), ev.RingPlace(TX, 0, 0, 0, 0),
        ev.RingPlace(TX, 65536, 0, 0, 0), ev.Doorbell(TX, "bell", 9), ev.Count(TX, "bell", 9, 1),
        ev.Snapshot(TX, 0, 0, 0, 65536, []), ev.Snapshot(TX, 0, 0, -1, 0, []), ev.Snapshot(TX, 0, 0, 0, 1, [[9, 0, 0]]),
        ev.Snapshot(TX, 0, 0, 0, 1, [[0, 1]]), ev.Snapshot(TX, 0, 0, 0, 1, [[0, 2**32, 0]]), ev.Action("reap", TX),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_follow_is_a_fold_error(payload: ev.AnyPayload) -> None:
    with pytest.raises(FoldError, match="Event 2"):
        after(payload)


def survives(state: State, event: ev.Event) -> State:
    try:
        return fold(state, event)
    except FoldError:
        return state


@settings(max_examples=60, deadline=None)
@given(st.lists(hostile.events, max_size=20))
def test_hostile_events_raise_fold_error_and_nothing_else(sent: list[ev.Event]) -> None:
    state = after()
    for event in sent:
        state = survives(state, event)
    for ring in state.rings:
        assert {ring.holder(index) for index in range(ring.num)} <= {"free", "driver", "device"}


@pytest.mark.parametrize("kind", typing.get_args(ev.AnyPayload))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_each_kind_at_its_worst(kind: type, data: st.DataObject) -> None:
    event = data.draw(hostile.event_of(hostile.payload_of(kind)))
    survives(State(), event)
    survives(after(), event)


def test_folding_changes_nothing_it_was_given() -> None:
    """Every state of a real run still is what it was when all later events have been folded."""
    state, kept = State(), []
    for event in reference().events:
        kept.append((state, repr(state)))
        state = fold(state, event)
    assert all(repr(state) == text for state, text in kept[:: len(kept) // 20])
