"""A real guest in KVM: doorbells with and without a trip to us, a stop wherever it is, nothing left."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import require
from tour.device.observer import eventfd_count
from tour.errors import CapabilityMissing, TimedOut
from tour.kvm.guests import CODE_AT, DONE_PORT, NOTIFY_PORT, TX, kicker
from tour.kvm.machine import Machine, open_kvm
from tour.kvm.program import Jump, Label, Line, Program, assemble
from tour.memory.guest import GuestMemory
from tour.trace import events as ev
from tour.trace.recorder import Recorder

TIMES = 100


def probe() -> None:
    """Raises CapabilityMissing unless KVM can be opened."""
    os.close(open_kvm())


@pytest.fixture
def memory() -> Iterator[GuestMemory]:
    require("kvm", probe)
    with GuestMemory([(0, 0x20000)]) as made:
        yield made


@pytest.fixture
def bell() -> Iterator[int]:
    fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    yield fd
    os.close(fd)


def ran(machine: Machine, program: Program) -> None:
    machine.load(program)
    machine.start()
    machine.wait(20)


def test_without_ioeventfd_each_out_returns_to_us(memory: GuestMemory) -> None:
    told: list[ev.Event] = []
    with Machine(memory, Recorder(told.append)) as machine:
        ran(machine, kicker(TIMES))
        assert machine.returns == TIMES + 1
    exits = [event.data for event in told if isinstance(event.data, ev.Exit)]
    assert exits == [ev.Exit("IO", NOTIFY_PORT, 2, TX)] * TIMES + [ev.Exit("IO", DONE_PORT, 1, TX)]
    cpu = next(event.data for event in told if isinstance(event.data, ev.Cpu))
    assert cpu.returns == TIMES + 1 and cpu.registers["cx"] == 0 and cpu.registers["dx"] == DONE_PORT


def test_with_it_none_does_and_the_eventfd_counts_them(memory: GuestMemory, bell: int) -> None:
    with Machine(memory) as machine:
        machine.ioeventfd(bell, NOTIFY_PORT, TX)
        ran(machine, kicker(TIMES))
        assert (machine.returns, eventfd_count(bell)) == (1, TIMES)
        machine.ioeventfd(bell, NOTIFY_PORT, TX, on=False)
        ran(machine, kicker(TIMES))
        assert (machine.returns, eventfd_count(bell)) == (1 + TIMES + 1, TIMES)


def test_another_value_is_no_kick_of_that_queue(memory: GuestMemory, bell: int) -> None:
    with Machine(memory) as machine:
        machine.ioeventfd(bell, NOTIFY_PORT, TX + 1)
        ran(machine, kicker(TIMES))
        assert (machine.returns, eventfd_count(bell)) == (TIMES + 1, 0)


SPIN = assemble("spin", CODE_AT, DONE_PORT, [Label("here"), Jump("eb", "jmp", "here")])
SLEEP = assemble("sleep", CODE_AT, DONE_PORT, [Line("fa", "cli"), Line("f4", "hlt")])


@pytest.mark.parametrize("program", [SPIN, SLEEP], ids=lambda program: program.name)
def test_a_guest_is_stopped_wherever_it_is(memory: GuestMemory, program: Program) -> None:
    with Machine(memory) as machine:
        machine.load(program)
        machine.start()
        with pytest.raises(TimedOut):
            machine.wait(0.2)
        machine.stop()
        assert machine.returns == 0
        ran(machine, kicker(3))
        assert machine.returns == 4


def test_nothing_is_left_open(memory: GuestMemory) -> None:
    before = os.listdir("/proc/self/fd")
    with Machine(memory) as machine:
        machine.load(SPIN)
        machine.start()
    assert os.listdir("/proc/self/fd") == before


def test_where_there_is_no_kvm_it_says_so() -> None:
    with pytest.raises(CapabilityMissing, match="cannot be opened"):
        open_kvm("/dev/none-kvm")
