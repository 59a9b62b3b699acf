"""Names of things and predicates over two states, as lessons write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trace.recordings import events, reference
from tour.lesson import model
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.fold import fold_all
from tour.trace.state import State
from tour.trace.timeline import Timeline

TX = 1


def store(field: str, *new: int) -> ev.Store:
    return ev.Store(TX, field, 0x1000, "", "", [], list(new))


BLANK = fold_all(events(ev.RingPlace(TX, 8, 0x1000, 0x1100, 0x1200)))
ONE = fold_all(events(store("desc[0]", 0x40000, 54, 2, 0), store("avail.ring[0]", 0), store("avail.idx", 1)), BLANK)
WRAPPING = fold_all(events(store("avail.idx", 65535), ev.Private(TX, "last_used_idx", 0, 65535)), BLANK)
WRAPPED = fold_all(events(store("avail.ring[7]", 4), store("avail.idx", 0), store("used.ring[7]", 4, 0)), WRAPPING)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tx.avail.idx", 1), ("rx.avail.idx", 0), ("tx.desc[0].addr", 0x40000), ("tx.desc[0].flags", 2),
        ("tx.desc[1].addr", None), ("tx.desc[99].addr", None), ("tx.avail.ring[0]", 0), ("tx.avail.ring[slot]", 0),
        ("tx.num", 8), ("tx.num_free", 7), ("tx.waiting", 1), ("tx.to_reap", 0), ("tx.held_by_device", 1),
        ("tx.place.desc", 0x1000), ("rx.place.desc", None), ("tx.addr.desc", None), ("table[0].gpa", None),
        ("region[7].hva", None), ("last.name", ""), ("last.errno", ""), ("last.result", None), ("opened", 0),
        ("packets.out", 0), ("features", None), ("owner", 0), ("worker.state", ""), ("tx.broken", None),
    ],
)  # fmt: skip
def test_reading(path: str, value: paths.Value) -> None:
    assert paths.read(ONE, path, BLANK) == value


NAMELESS = [
    "", "tx", "tx.", "tx.nothing", "desc[0].addr", "tx.desc[0", "tx.desc[x].addr", "tx.desc[0].colour", "t.x",
    "tx.avail.ring[0].id", "table[0]", "table[x].gpa", "table[0].fd", "offered.bit[64]", "owner.bit[0]", "tx.kick",
]  # fmt: skip


@pytest.mark.parametrize("path", NAMELESS)
def test_a_name_that_means_nothing_is_said_so(path: str) -> None:
    with pytest.raises(paths.PathError):
        paths.read(ONE, path)


@pytest.mark.parametrize(
    ("expr", "true"),
    [
        ("tx.avail.idx == 1", True), ("tx.avail.idx != 1", False), ("tx.avail.idx == tx.avail.idx@before + 1", True),
        ("tx.avail.idx@before == tx.avail.idx - 1", True), ("changed tx.avail.idx", True),
        ("unchanged tx.avail.idx", False), ("unchanged tx.used.idx", True), ("tx.desc[0].addr == 0x40000", True),
        ("tx.desc[0].len >= 54", True), ("tx.desc[0].len > 54", False), ("tx.desc[1].len < 54", False),
        ("tx.desc[1].len == 0", False), ("worker.state >= 0", False), ('worker.state == ""', True),
        ("tx.desc[0].len <= 54", True),
    ],
)  # fmt: skip
def test_predicates(expr: str, true: bool) -> None:
    assert paths.holds(expr, BLANK, ONE) is true


@pytest.mark.parametrize(
    ("expr", "true"),
    [
        ("tx.avail.idx == tx.avail.idx@before + 1", True),
        ("tx.avail.ring[slot] == 4", True),
        ("tx.used.ring[uslot].id == 4", True),
        ("tx.avail.ring[0] == 4", False),
    ],
)
def test_indices_wrap_and_slots_are_those_before_the_step(expr: str, true: bool) -> None:
    assert paths.holds(expr, WRAPPING, WRAPPED) is true


@pytest.mark.parametrize(
    "expr", ["", "tx.avail.idx", "tx.avail.idx = 1", "== 1", "changed nothing", "tx.avail.idx == nothing"]
)
def test_what_is_no_predicate_is_said_so(expr: str) -> None:
    with pytest.raises(paths.PathError):
        paths.holds(expr, BLANK, ONE)


@given(st.text(alphabet="txrav.idscu[]0123 =<>!@+-ben\x00٣", max_size=20))
def test_any_text_is_a_predicate_or_a_path_error(expr: str) -> None:
    with contextlib.suppress(paths.PathError):
        paths.holds(expr, BLANK, ONE)
        paths.actual(expr, BLANK, ONE)


def test_actual_says_what_was_found() -> None:
    assert paths.actual("tx.avail.idx == 5", BLANK, ONE) == "1"
    assert paths.actual("unchanged tx.avail.idx", BLANK, ONE) == "0 -> 1"


def test_the_transmit_buffer_is_the_one_its_descriptor_names() -> None:
    state = fold_all(events(ev.Write(TX, 0x40000, "", "aa"), ev.Write(0, 0x80000, "", "bb")), ONE)
    assert paths.read(state, "buffer.tx") == "aa"


@pytest.mark.parametrize("lesson", ["0", "8"])
def test_every_check_of_the_reference_run_comes_to_the_recorded_verdict(lesson: str) -> None:
    timeline = Timeline(reference(lesson).events)
    compared = 0
    for step in model.load(lesson).step:
        begin, end = timeline.mark(step.id), timeline.mark(step.id, end=True)
        assert begin is not None and end is not None
        before, after = timeline.at(begin.position), timeline.at(end.position)
        verdicts = {
            event.data.id: event.data
            for event in timeline.events[end.position :]
            if isinstance(event.data, ev.Check) and event.data.step == step.id
        }
        for check in step.check:
            assert paths.holds(check.expr, before, after) is verdicts[check.id].ok is True
            assert paths.actual(check.expr, before, after) == verdicts[check.id].actual
            compared += 1
    assert compared >= 10


def test_a_path_of_nothing_placed_is_none_or_zero() -> None:
    assert paths.read(State(), "tx.desc[0].addr") is None and paths.read(State(), "tx.avail.ring[slot]") is None


def test_bytes_of_a_buffer_are_read_within_one_write() -> None:
    state = fold_all(events(ev.Write(0, 0x80000, "", "00" * 10 + "0100ff"), ev.Write(0, 0x80800, "", "aa")))
    assert paths.read(state, "mem[0x8000a:2]") == "0100"
    assert paths.read(state, "mem[0x8000c:2]") is None
    assert paths.holds('mem[0x80800:1] == "aa"', State(), state)


def test_who_holds_a_file_is_not_known_before_anybody_looked() -> None:
    assert paths.read(State(), "holders") is None
    looked = fold_all(events(ev.Holders("/dev/kvm", 2, 31)))
    assert paths.read(looked, "holders") == 0 and "holders" in looked.changed
