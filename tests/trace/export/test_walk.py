"""The acts of a program: what we did in order, what the device did as something to wait for and compare."""

from __future__ import annotations

import pytest

from tests.trace.recordings import HELLO, NO_PROGRAM, events, reference
from tour.trace import events as ev
from tour.trace.export import acts
from tour.trace.export.acts import ExportError
from tour.trace.export.walk import program

RUN = reference("9").events
PROGRAM = program(RUN)


def kinds(step: str) -> list[type]:
    return [type(act) for act in dict(PROGRAM.parts)[step]]


def test_the_ioctls_are_those_of_the_recording_in_order() -> None:
    made = [act.name for act in PROGRAM.acts if isinstance(act, acts.Vhost)]
    assert made == [e.data.name for e in RUN if isinstance(e.data, ev.Ioctl) and e.source == "control"]


def test_the_stores_are_those_of_the_recording_in_order() -> None:
    made = [act.gpa for act in PROGRAM.acts if isinstance(act, acts.Desc | acts.Word)]
    assert made == [e.data.gpa for e in RUN if isinstance(e.data, ev.Store)]
    assert [act.field for act in PROGRAM.acts if isinstance(act, acts.Word) and act.release] == [
        "rx avail.idx", "tx avail.idx", "tx avail.idx", "rx avail.idx",
    ]  # fmt: skip


def test_descriptors_have_names_and_addresses_are_guest_addresses() -> None:
    kick = next(act for act in PROGRAM.acts if isinstance(act, acts.Vhost) and act.name == "VHOST_SET_VRING_KICK")
    assert kick.args == {"index": 0, "fd": "rx_kick"} and kick.fd == "vhost"
    addr = next(act for act in PROGRAM.acts if isinstance(act, acts.Vhost) and act.name == "VHOST_SET_VRING_ADDR")
    assert addr.args["desc"].gpa == 0x8000
    assert set(PROGRAM.fds) == {"tap", "vhost", *(f"{q}_{b}" for q in ("rx", "tx") for b in ("kick", "call", "err"))}


def test_what_the_device_did_is_waited_for_after_the_kick() -> None:
    ask = kinds("ask")
    assert ask.index(acts.Kick) < ask.index(acts.Await) < ask.index(acts.Used) < ask.index(acts.Bytes)
    waits = [act for act in dict(PROGRAM.parts)["ask"] if isinstance(act, acts.Await)]
    assert [(act.queue, act.field, act.value) for act in waits[:2]] == [("tx", "used.idx", 1), ("rx", "used.idx", 1)]
    wrote = next(act for act in dict(PROGRAM.parts)["ping"] if isinstance(act, acts.Bytes))
    assert wrote.gpa == 0x80800 and len(wrote.data) == 110


def test_steps_without_a_device_wait_for_nothing() -> None:
    assert kinds("call") == [acts.Begin, acts.Drain, acts.End]
    assert kinds("no_kvm") == [acts.Begin, acts.NotOpen, acts.End]


def test_an_unknown_descriptor_is_said_not_guessed() -> None:
    call = ev.Ioctl("VHOST_NET_SET_BACKEND", 1, 7, {"index": 1, "fd": 55}, "", 0)
    made = program([*events(HELLO, actor="tour"), *events(call, actor="control")]).acts
    assert isinstance(made[0], acts.Say) and "descriptor 55" in made[0].text


def test_a_refused_descriptor_stays_a_number() -> None:
    call = ev.Ioctl("VHOST_NET_SET_BACKEND", 1, 7, {"index": 1, "fd": 55}, "", -1, "ENOTSOCK")
    made = program([*events(HELLO, actor="tour"), *events(call, actor="control")]).acts
    assert isinstance(made[0], acts.Vhost) and made[0].args["fd"] == 55 and made[0].errno == "ENOTSOCK"


def test_what_is_no_recording_is_no_program() -> None:
    with pytest.raises(ExportError, match="hello"):
        program(events(ev.Bye(), actor="tour"))
    with pytest.raises(ExportError, match="no call of vhost's"):
        program([*events(HELLO, actor="tour"), *events(ev.Ioctl('system("x")', 1, 7, {}, "", 0), actor="control")])


@pytest.mark.parametrize("lesson", NO_PROGRAM)
def test_what_a_program_cannot_do_again_is_refused_with_its_reason(lesson: str) -> None:
    with pytest.raises(ExportError) as caught:
        program(reference(lesson).events)
    assert NO_PROGRAM[lesson] in caught.value.why and "--as strace" in caught.value.fix
