"""Lesson 8's questions: whatever happens, normal run or variant, exactly one choice comes true.

The steps are told as events and folded, so this runs anywhere; the same is tested on live devices elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tour.lesson import model
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.fold import fold_all
from tour.trace.recorder import Recorder
from tour.trace.state import State

TX, GPA = 1, 0x40000
LESSON = model.load("8")
NORMAL = {
    "frame": "none", "describe": "gpa", "entry": "none", "publish": "avail_idx", "kick": "len0", "call": "call",
    "reap": "last_used_idx",
}  # fmt: skip
FORGOTTEN = NORMAL | {"kick": "nothing", "call": "nothing", "reap": "none"}


def store(field: str, old: list[int], new: list[int]) -> ev.Store:
    return ev.Store(queue=TX, field=field, gpa=0, before="", after="", old=old, new=new)


def set_up(num: int, base: int) -> list[ev.AnyPayload]:
    place = ev.RingPlace(queue=TX, num=num, desc=0, avail=0x1000, used=0x2000)
    idx = [store("avail.idx", [0], [base]), store("used.idx", [0], [base])]
    names = ("avail_shadow", "last_avail_idx", "used_shadow", "last_used_idx")
    return [place, *idx, *(ev.Private(queue=TX, name=name, before=0, after=base) for name in names)]


def told(num: int, base: int, kicked: bool) -> Iterator[tuple[str, list[ev.AnyPayload]]]:
    """Each step with the events of a correct run."""
    after = (base + 1) & 0xFFFF
    yield "frame", [ev.Write(queue=TX, gpa=GPA, before="00" * 54, after="00" * 12 + "ff" * 42, what="frame")]
    yield "describe", [store("desc[0]", [0, 0, 0, 0], [GPA, 54, 0, 0])]
    yield (
        "entry",
        [
            store(f"avail.ring[{base % num}]", [0], [0]),
            ev.Private(queue=TX, name="avail_shadow", before=base, after=after),
        ],
    )
    yield "publish", [store("avail.idx", [base], [after])]
    yield "kick", [*device_part(num, base, after)] if kicked else []
    yield "call", [ev.Drain(queue=TX, fd=10, value=1)] if kicked else []
    reaped: list[ev.AnyPayload] = [
        ev.Action(verb="reap", queue=TX, detail={"head": 0, "len": 0}),
        ev.Private(queue=TX, name="last_used_idx", before=base, after=after),
    ]
    yield "reap", reaped if kicked else []


def device_part(num: int, base: int, after: int) -> Iterator[ev.AnyPayload]:
    """As seen from outside a kernel: one jump."""
    yield ev.Kick(queue=TX, fd=9, count=1)
    yield ev.Packet(direction="out", where="tap", frame="ff" * 42)
    yield ev.Snapshot(queue=TX, t_from=0, t_to=1, used_flags=0, used_idx=after, used=[[base % num, 0, 0]])
    yield ev.Private(queue=TX, name="last_avail_idx", before=base, after=after)
    yield ev.Call(queue=TX, fd=10, count=1)


def walk(num: int, base: int, kicked: bool) -> Iterator[tuple[str, State, State]]:
    events: list[ev.Event] = []
    recorder = Recorder(events.append)

    def tell(payloads: list[ev.AnyPayload], state: State) -> State:
        events.clear()
        for payload in payloads:
            recorder.emit(payload, actor="driver")
        return fold_all(list(events), state)

    state = tell(set_up(num, base), State())
    for step, payloads in told(num, base, kicked):
        after = tell(payloads, state)
        yield step, state, after
        state = after


@pytest.mark.parametrize(("num", "base"), [(8, 0), (2, 0), (8, 65535), (2, 65535)])
@pytest.mark.parametrize("kicked", [True, False], ids=["kicked", "forgotten"])
def test_exactly_one_choice_comes_true(num: int, base: int, kicked: bool) -> None:
    specs = {step.id: step for step in LESSON.step}
    for step, before, after in walk(num, base, kicked):
        predict = specs[step].predict
        assert predict is not None
        true = [choice.id for choice in predict.choice if all(paths.holds(w, before, after) for w in choice.when)]
        assert true == [(NORMAL if kicked else FORGOTTEN)[step]], step


@pytest.mark.parametrize(("num", "base"), [(8, 0), (2, 0), (8, 65535)])
def test_every_check_holds_after_its_step_and_some_check_fails_without_it(num: int, base: int) -> None:
    specs = {step.id: step for step in LESSON.step}
    for step, before, after in walk(num, base, kicked=True):
        for check in specs[step].check:
            assert paths.holds(check.expr, before, after), (step, check.expr)
        undone = [check.id for check in specs[step].check if not paths.holds(check.expr, before, before)]
        assert undone, f"{step}: its checks would pass if nothing happened"
