"""Behaviour: when calls are made and kicks are wanted: flags, event idx, and what attaching does to them."""

from __future__ import annotations

from typing import Any

from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.testing.bench import FEATURES, Bench
from tour.testing.case import Suite
from tour.testing.guest import EVENT_IDX, Guest, frame

SUITE = Suite("behaviour")


@SUITE.case
def _one_call_at_least_and_no_more_than_completions(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.send(1, 2, 3, 4, 5)
    return [1 <= guest.count(TX, "call") <= 5, guest.rings[TX].load_used_flags()]


@SUITE.case
def _no_interrupt_means_no_call(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.tx.disable_calls()
    guest.send(1, 2)
    silent = guest.count(TX, "call")
    guest.tx.enable_calls()
    guest.reaped(TX)
    guest.send(3)
    return [silent, guest.count(TX, "call")]


@SUITE.case
def _no_interrupt_does_not_silence_kicks(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.tx.disable_calls()
    return [guest.send(1), guest.reaped(TX), guest.tx.needs_kick()]


@SUITE.case
def _no_interrupt_on_receive(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.rx.disable_calls()
    guest.provide(4)
    guest.arrive(frame(1))
    return [guest.reaped(RX), guest.count(RX, "call")]


@SUITE.case
def _with_event_idx_the_first_call_is_unconditional(bench: Bench) -> list[Any]:
    guest = Guest(bench, EVENT_IDX)
    guest.rings[TX].store_used_event(1000)
    guest.send(1)
    return [guest.count(TX, "call"), guest.reaped(TX)]


@SUITE.case
def _with_event_idx_a_call_when_used_event_is_passed(bench: Bench) -> list[int]:
    """used_event 3: nothing at 2 and 3, a call at 4, nothing at 5."""
    guest = Guest(bench, EVENT_IDX)
    counts = []
    guest.tx.disable_calls()
    for tag in range(5):
        guest.rings[TX].store_used_event(3)
        guest.send(tag)
        guest.reaped(TX)
        counts.append(guest.count(TX, "call"))
    return counts


@SUITE.case
def _with_event_idx_the_device_ignores_no_interrupt(bench: Bench) -> int:
    guest = Guest(bench, EVENT_IDX)
    guest.rings[TX].store_avail_flags(1)
    guest.send(1)
    return guest.count(TX, "call")


@SUITE.case
def _with_event_idx_avail_event_follows(bench: Bench) -> list[int]:
    guest = Guest(bench, EVENT_IDX)
    events = [guest.rings[TX].load_avail_event()]
    for tag in range(3):
        guest.send(tag, tag)
        guest.reaped(TX)
        events.append(guest.rings[TX].load_avail_event())
    return events


@SUITE.case
def _notify_on_empty_calls_whatever_the_flags_say(bench: Bench) -> int:
    guest = Guest(bench, FEATURES | Feature.VIRTIO_F_NOTIFY_ON_EMPTY.mask)
    guest.tx.disable_calls()
    guest.send(1)
    return guest.count(TX, "call")


@SUITE.case
def _used_flags_while_a_transmit_ring_is_empty(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.send(1)
    return [guest.rings[TX].load_used_flags(), guest.tx.needs_kick()]


@SUITE.case
def _used_flags_of_a_receive_ring_without_buffers(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.arrive(frame(1))
    return [guest.rings[RX].load_used_flags()]


@SUITE.case
def _used_flags_of_a_receive_ring_that_waits_for_frames(bench: Bench) -> list[Any]:
    """With buffers enough the device wants no kicks: it looks for itself when a frame comes."""
    guest = Guest(bench)
    guest.provide(4)
    guest.arrive(frame(1))
    return [guest.rings[RX].load_used_flags(), guest.rx.needs_kick()]


@SUITE.case
def _attaching_rewrites_used_flags(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.device.stop(TX)
    guest.rings[TX].store_used_flags(0xBEEF)
    guest.device.net_set_backend(TX, guest.tap.fd)
    return [guest.settle(TX), guest.rings[TX].load_used_flags()]


@SUITE.case
def _attaching_the_same_tap_again_rewrites_nothing(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.rings[TX].store_used_flags(0xBEEF)
    guest.device.net_set_backend(TX, guest.tap.fd)
    return [guest.settle(TX), guest.rings[TX].load_used_flags()]


@SUITE.case
def _attaching_takes_used_idx_from_memory(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.device.stop(TX)
    guest.rings[TX].store_used_idx(500)
    guest.device.net_set_backend(TX, guest.tap.fd)
    ended = guest.send(1)
    return [ended, guest.rings[TX].load_used_idx(), guest.device.get_vring_base(TX)]
