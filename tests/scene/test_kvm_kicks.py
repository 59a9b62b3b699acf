"""A guest in KVM that only kicks: what comes back to us, with the ioeventfd, without it, and rung by our own hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kvm.test_machine import probe
from tests.support import require
from tour.device.contract import RX, TX
from tour.device.observer import eventfd_count
from tour.scene.choose import Chosen
from tour.scene.kvm_kicks import TOLD, Kicks
from tour.scene.nic import Nic, Plan
from tour.scene.set_up import set_up
from tour.trace import events as ev
from tour.trace.recorder import Recorder

TIMES = 20


@pytest.fixture
def told() -> list[ev.Event]:
    return []


@pytest.fixture
def kicks(told: list[ev.Event]) -> Iterator[Kicks]:
    require("kvm", probe)
    nic = Nic(Recorder(told.append), Chosen("embedded", None, "socketpair"), Plan())
    try:
        set_up(nic, "attach")
        yield Kicks(nic)
    finally:
        nic.close()


def count(kicks: Kicks, index: int = TX) -> int:
    return eventfd_count(kicks.nic.bells[index].fds["kick"])


def test_with_the_ioeventfd_only_its_value_stays_in_the_kernel(kicks: Kicks) -> None:
    kicks.bind(TX)
    assert kicks.run(TIMES).returns == 0 and count(kicks) == TIMES
    assert kicks.run(TIMES, RX).returns == TIMES and count(kicks) == TIMES
    kicks.unbind()
    assert kicks.run(TIMES).returns == TIMES and count(kicks) == TIMES


def test_without_a_value_any_will_do_and_it_is_the_same_queue_s(kicks: Kicks) -> None:
    before = count(kicks, RX)
    kicks.bind(None)
    assert kicks.run(TIMES, RX).returns == 0
    assert (count(kicks), count(kicks, RX)) == (TIMES, before)


def test_by_hand_each_return_becomes_a_kick(kicks: Kicks) -> None:
    kicks.machine.answer = kicks.ring
    assert kicks.run(TIMES).returns == TIMES
    assert kicks.rung == count(kicks) == TIMES


def test_exits_are_kvm_s_count_and_not_less_than_the_returns(kicks: Kicks) -> None:
    found = kicks.run(TIMES)
    assert found.exits is None or found.exits >= found.returns


def test_the_first_return_is_told_and_the_processor_after_it(kicks: Kicks, told: list[ev.Event]) -> None:
    kicks.run(TIMES)
    assert sum(isinstance(event.data, ev.Exit) for event in told) == TOLD
    cpu = [event.data for event in told if isinstance(event.data, ev.Cpu)][-1]
    assert cpu.returns == TIMES and cpu.halted and cpu.registers["cx"] == 0
