"""What the jail says is heard, checked and answered; nothing it may say does more than end itself."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.judge.unjailed import Unjailed
from tour.judge.bench import Bench
from tour.judge.ops import Broken, CallHandle, MemoryHandle, RingHandle
from tour.judge.talk import BYTES_MAX, Gone, Raised, Runner, Talk, Trusted

SOURCE = """
def fine(ring, idx):
    ring.store_avail_idx(idx)
    return ring.load_avail_idx()

def wrong(ring):
    ring.store_avail_idx(70000)

def caught(ring):
    try:
        ring.store_avail_idx(-1)
    except ValueError as error:
        return str(error)

def names(ring, memory, kick):
    kick()
    memory.write(0x100, b"abc")
    return [ring.num, ring.index, ring.read_desc(0).addr, memory.read(0x100, 3), ring.slot(70000)]

def outside(memory):
    memory.read(0x50000, 16)

def unknown(ring):
    return ring.memory

def todo():
    raise NotImplementedError("TODO 2")

def forever():
    while True:
        pass

def leave():
    import os
    os._exit(7)

def storm(ring):
    while True:
        ring.load_avail_idx()

def big():
    return [b"x" * 60000] * 100
"""


class Ground:
    """A bench with the source above loaded in ``runner``."""

    def __init__(self, runner: Runner, stack: ExitStack, seconds: float = 5.0) -> None:
        self.runner = runner
        runner.load("it.py", SOURCE, 10)
        self.bench = Bench(runner, "1", "it.py", SOURCE, seconds, stack)
        self.ring = self.bench.ring(num=8)


@pytest.fixture(params=["trusted", "process"])
def ground(request: pytest.FixtureRequest) -> Any:
    with ExitStack() as stack:
        runner: Runner = Trusted() if request.param == "trusted" else stack.enter_context(Unjailed())
        yield Ground(runner, stack)


@pytest.fixture
def process() -> Any:
    with ExitStack() as stack:
        yield Ground(stack.enter_context(Unjailed()), stack, 2.0)


def test_an_operation_is_done_on_the_judges_ring(ground: Ground) -> None:
    bench = ground.bench
    bench.play("driver")
    assert bench.call("fine", bench.handle(ground.ring), 77) == 77
    assert ground.ring.load_avail_idx() == 77
    store = bench.events[-1]
    assert (store.where, store.code) == ("it.py:3", "ring.store_avail_idx(idx)")
    assert [(op.method, op.args, op.result) for op in bench.talk.log] == [
        ("store_avail_idx", (77,), None), ("load_avail_idx", (), 77),
    ]  # fmt: skip


def test_what_does_not_fit_becomes_an_exception_there(ground: Ground) -> None:
    bench = ground.bench
    with pytest.raises(Raised) as raised:
        bench.call("wrong", bench.handle(ground.ring))
    assert (raised.value.kind, raised.value.line) == ("ValueError", 7)
    assert "does not fit into 0..65535" in raised.value.text
    assert bench.call("caught", bench.handle(ground.ring)) == "-1 does not fit into 0..65535"
    assert ground.ring.load_avail_idx() == 0


def test_everything_handed_out_works(ground: Ground) -> None:
    bench = ground.bench
    given = bench.handle(ground.ring), bench.memory_handle(), bench.doorbell("kick")
    assert bench.call("names", *given) == [8, 1, 0, b"abc", 70000 % 8]
    assert bench.memory.read(0x100, 3) == b"abc" and bench.rung("kick") == 1


def test_a_range_outside_guest_memory_is_its_error(ground: Ground) -> None:
    with pytest.raises(Raised, match="0x50000") as raised:
        ground.bench.call("outside", ground.bench.memory_handle())
    assert raised.value.kind == "GuestMemoryError"


def test_a_step_not_written_is_said_as_such(ground: Ground) -> None:
    with pytest.raises(Raised, match="TODO 2") as raised:
        ground.bench.call("todo")
    assert raised.value.kind == "NotImplementedError"


def test_what_a_handle_does_not_have_is_refused(ground: Ground) -> None:
    ground.runner.load("it.py", "def unknown(ring):\n    return ring.let_out()\n", 5)
    with pytest.raises(Raised, match="a ring has no let_out"):
        ground.bench.call("unknown", ground.bench.handle(ground.ring))


def test_an_attribute_is_nothing_until_it_is_called(ground: Ground) -> None:
    assert "function" in ground.bench.call("unknown", ground.bench.handle(ground.ring))


def test_a_missing_function_is_said(ground: Ground) -> None:
    with pytest.raises(Raised) as raised:
        ground.bench.call("nothing")
    assert (raised.value.kind, raised.value.text) == ("missing", "nothing")


def test_no_end_ends(process: Ground) -> None:
    with pytest.raises(Gone, match="timed out"):
        process.bench.call("forever")


def test_a_process_that_leaves_is_told_so(process: Ground) -> None:
    with pytest.raises(Gone, match="exit 7"):
        process.bench.call("leave")


def test_a_storm_of_operations_ends(process: Ground) -> None:
    with pytest.raises(Gone, match="timed out"):
        process.bench.call("storm", process.bench.handle(process.ring))


def test_a_storm_of_bytes_ends(process: Ground) -> None:
    process.runner.load("it.py", "def fill(memory):\n    while True: memory.write(0, bytes(60000))\n", 5)
    with pytest.raises(Gone, match="timed out"):
        process.bench.call("fill", process.bench.memory_handle())
    assert len(process.bench.talk.log) <= BYTES_MAX // 60000 + 1


def test_an_answer_too_long_ends_it(process: Ground) -> None:
    with pytest.raises((Gone, Raised)):
        process.bench.call("big")


def test_a_hook_that_breaks_is_told_after_the_call(ground: Ground) -> None:
    bench = ground.bench

    def broken(op: object) -> None:
        raise Broken("avail.idx", 1, 2)

    bench.talk.after.append(broken)
    with pytest.raises(Broken, match=r"avail\.idx: expected 1, found 2"):
        bench.call("fine", bench.handle(ground.ring), 5)
    assert len(bench.talk.log) == 2, "the student's code went on"
    bench.talk.after.clear()
    bench.talk.broken = None
    assert bench.call("fine", bench.handle(ground.ring), 6) == 6


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
METHODS = st.sampled_from([*RingHandle.methods, *MemoryHandle.methods, "__call__", "__class__", "let_out", "perform"])


@given(
    handle=st.integers(-2, 5) | PLAIN,
    method=METHODS | PLAIN,
    args=st.lists(st.integers(-5, 70000) | PLAIN, max_size=4) | PLAIN,
    line=st.integers() | PLAIN,
)
def test_nothing_that_is_said_breaks_the_judge(handle: object, method: object, args: object, line: object) -> None:
    with ExitStack() as stack:
        bench = Bench(Trusted(), "1", "it.py", "", 1, stack)
        talk = Talk()
        rung = CallHandle("kick", lambda: None)
        for given_handle in (bench.handle(bench.ring(num=8)), bench.memory_handle(), rung):
            talk.give(given_handle)
        try:
            answer = talk.answer({"do": handle, "m": method, "a": args, "l": line})
        except Gone as gone:
            assert gone.how == "broken conversation"
            return
        assert set(answer) in ({"r"}, {"x"})
        msgspec.msgpack.encode(answer)
