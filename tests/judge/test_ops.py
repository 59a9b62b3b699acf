"""The store buffer: own loads see own stores, others see them after a full barrier or when they are let out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tour.judge.bench import Bench
from tour.judge.ops import BUFFER_MAX, CallHandle, MemoryHandle, Refused, RingHandle
from tour.judge.talk import Trusted
from tour.virtqueue.ring import Desc, Ring, Used


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(Trusted(), "1", "it.py", "", 1, stack)


@pytest.fixture
def ring(bench: Bench) -> Ring:
    return bench.ring(num=8)


STORES = [
    ("store_avail_idx", [7], "load_avail_idx", [], 7, 0),
    ("store_avail_flags", [1], "load_avail_flags", [], 1, 0),
    ("store_used_event", [9], "load_used_event", [], 9, 0),
    ("store_avail_event", [9], "load_avail_event", [], 9, 0),
    ("store_avail_entry", [11, 5], "read_avail_entry", [3], 5, 0),
    ("store_used_entry", [8, 2, 60], "read_used_entry", [0], Used(2, 60), Used(0, 0)),
    ("write_desc", [6, Desc(0x40000, 54)], "read_desc", [6], Desc(0x40000, 54), Desc(0, 0)),
]


@pytest.mark.parametrize(("store", "args", "load", "at", "mine", "theirs"), STORES, ids=lambda value: str(value))
def test_a_store_waits_in_the_buffer(
    ring: Ring, store: str, args: list[object], load: str, at: list[object], mine: object, theirs: object
) -> None:
    handle = RingHandle("ring", ring, buffered=True)
    handle.do(store, args)
    assert handle.do(load, at) == mine
    assert getattr(ring, load)(*at) == theirs
    handle.do("full_barrier", [])
    assert getattr(ring, load)(*at) == mine == handle.do(load, at)


def test_another_slot_is_another_word(ring: Ring) -> None:
    handle = RingHandle("ring", ring, buffered=True)
    handle.do("store_avail_entry", [3, 5])
    assert handle.do("read_avail_entry", [4]) == 0


def test_stores_leave_in_order(ring: Ring) -> None:
    handle = RingHandle("ring", ring, buffered=True)
    handle.do("store_avail_entry", [0, 5])
    handle.do("store_avail_idx", [1])
    handle.let_out(1)
    assert (ring.read_avail_entry(0), ring.load_avail_idx()) == (5, 0)
    handle.let_out()
    assert ring.load_avail_idx() == 1


def test_without_a_buffer_all_is_seen_at_once(ring: Ring) -> None:
    RingHandle("ring", ring).do("store_avail_idx", [3])
    assert ring.load_avail_idx() == 3


@pytest.mark.parametrize(
    ("method", "args", "kind"),
    [
        ("store_avail_idx", [65536], "ValueError"), ("store_avail_idx", [True], "TypeError"),
        ("store_avail_idx", ["1"], "TypeError"), ("store_avail_idx", [], "TypeError"), ("read_desc", [8], "IndexError"),
        ("write_desc", [0, [1]], "TypeError"), ("write_desc", [0, [1, 2, 65536, 0]], "ValueError"),
        ("write_desc", [0, [1, 1 << 32]], "ValueError"), ("let_out", [], "AttributeError"),
        ("_store", [], "AttributeError"),
        ("write_table", [1 << 40, 0, [0, 0]], "GuestMemoryError"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(ring: Ring, method: str, args: list[object], kind: str) -> None:
    with pytest.raises(Refused) as refused:
        RingHandle("ring", ring).do(method, args)
    assert refused.value.kind == kind


def test_memory_stays_inside_guest_memory(bench: Bench) -> None:
    handle = MemoryHandle("memory", bench.memory)
    handle.do("write", [0x100, b"abc"])
    assert handle.do("read", [0x100, 3]) == b"abc"
    for args in ([0x3FFFF, 2], [0x50000, 1], [(1 << 64) - 1, 4], [0x40000, 1]):
        with pytest.raises(Refused, match="refused"):
            handle.do("read", args)
    with pytest.raises(Refused, match="does not fit"):
        handle.do("read", [0, BUFFER_MAX + 1])
    with pytest.raises(Refused, match="bytes are more"):
        handle.do("write", [0, bytes(BUFFER_MAX + 1)])


def test_a_callable_wants_what_it_wants() -> None:
    sent: list[bytes] = []
    port = CallHandle("port", sent.append, ("bytes",))
    port.do("__call__", [b"frame"])
    with pytest.raises(Refused):
        port.do("__call__", [])
    with pytest.raises(Refused):
        port.do("send", [b"frame"])
    assert sent == [b"frame"]
