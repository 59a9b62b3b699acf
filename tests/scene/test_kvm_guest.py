"""A guest in KVM that drives the transmit queue itself: ten thousand kicks at speed, one key at a time, left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.kvm.test_machine import probe
from tests.support import in_own_network, require
from tour.errors import TimedOut
from tour.kvm import sender
from tour.kvm.controller import Controller
from tour.net.port import open_port
from tour.scene import kvm_alone
from tour.scene.choose import Chosen
from tour.scene.kvm_guest import KvmGuest
from tour.scene.nic import Nic, Plan
from tour.scene.set_up import set_up
from tour.trace.recorder import Recorder
from tour.trace.state import State
from tour.trace.timeline import Timeline

KICKS = 10_000


@contextmanager
def guest(gear: str = "python", base: int = 0) -> Iterator[tuple[KvmGuest, Timeline]]:
    require("kvm", probe)
    timeline = Timeline()
    recorder = Recorder(timeline.append)
    chosen = Chosen("embedded", open_port(recorder), "tap", gear=gear)  # type: ignore[arg-type]
    nic = Nic(recorder, chosen, Plan(base=base))
    try:
        set_up(nic, "attach")
        made = KvmGuest(nic)
        made.begin()
        yield made, timeline
    finally:
        nic.close()


def at_edge(timeline: Timeline) -> State:
    return timeline.edge


@pytest.mark.parametrize("gear", ["python", "engine"])
@in_own_network
def test_ten_thousand_kicks_without_a_lost_wake_up(gear: str) -> None:
    require("kvm", probe)
    found = kvm_alone.send_alone(Chosen("embedded", None, "tap"), KICKS, gear)
    assert found.kicks == KICKS <= found.offered == found.reaped
    assert 0 < found.handled <= found.reaped and found.returns == 0


@in_own_network
def test_a_wake_up_that_is_lost_is_found() -> None:
    """Without irqfd the guest sleeps for ever the first time it waits for the device, which it need not do as long as
    that is quicker: the run says so, and does not hang."""
    require("kvm", probe)
    KvmGuest.listen = lambda self, fd=-1: None  # type: ignore[method-assign]
    kvm_alone.STUCK_SECONDS = 0.5
    with pytest.raises(TimedOut, match="stood still"):
        kvm_alone.send_alone(Chosen("embedded", None, "tap"), KICKS)


@pytest.mark.parametrize("gear", ["python", "engine"])
@in_own_network
def test_what_is_told_of_the_guests_half_is_what_lies_in_memory(gear: str) -> None:
    with guest(gear, base=65535 if gear == "python" else 0) as (made, timeline):
        made.listen()
        for _ in range(4):
            made.press()
        ring, tx = made.ring, at_edge(timeline).tx
        assert (tx.avail_idx, tx.used_idx) == (ring.load_avail_idx(), ring.load_used_idx())
        assert tx.last_used_idx == made.word(sender.LAST_USED) == tx.avail_idx == made.word(sender.NEXT_AVAIL)
        cpu = at_edge(timeline).cpu
        assert cpu is not None and cpu.halted and cpu.returns == 0


@in_own_network
def test_a_masked_line_keeps_one_interrupt_for_two_calls() -> None:
    with guest() as (made, _):
        made.listen()
        for _ in range(8):
            made.press()
        assert Controller(made.machine).pending(sender.CALL_LINE) and made.word(sender.HANDLED) == 1
        made.press()
        assert not Controller(made.machine).pending(sender.CALL_LINE) and made.word(sender.HANDLED) == 2
