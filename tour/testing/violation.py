"""Behaviour: a driver that breaks a rule. The err doorbell rings, the ring rests, a kick tries again.

Not asked: a transmit chain shorter than its header, which sends the kernel's worker round for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.device.contract import RX, TX
from tour.testing.bench import Bench
from tour.testing.case import Suite
from tour.testing.guest import HEADER, INDIRECT, NOWHERE, RX_BUFFER, TABLE, TX_BUFFER, Guest, frame
from tour.virtqueue.ring import Desc

SUITE = Suite("behaviour")
NEXT, WRITE, TABLE_FLAG = 1, 2, 4
LENGTH = 12 + 60


def _bad(guest: Guest, index: int) -> dict[str, Any]:
    """How the ring rests after the violation."""
    return {"ended": guest.settle(index), "state": guest.state(index)}


def _mended(guest: Guest, desc: Desc, number: int = 0) -> list[Any]:
    """The same chain after the driver mended it and kicked."""
    guest.write_desc(TX, number, desc)
    guest.kick(TX)
    return [guest.settle(TX), guest.seen(1), guest.rings[TX].load_used_idx(), guest.device.get_vring_base(TX)]


GOOD = Desc(TX_BUFFER, LENGTH)

_DESCRIPTORS: dict[str, tuple[Desc, ...]] = {
    "a buffer in the hole": (Desc(NOWHERE, LENGTH),),
    "a buffer that begins before a region": (Desc(TX_BUFFER - 10, LENGTH),),
    "a buffer that runs over the end of a region": (Desc(0x20000 - 10, LENGTH),),
    "a buffer that runs over 2^64": (Desc((1 << 64) - 10, LENGTH),),
    "a buffer of 4 GiB": (Desc(TX_BUFFER, 0xFFFFFFFF),),
    "a next out of range": (Desc(TX_BUFFER, 12, NEXT, 8),),
    "a chain that is a loop": (Desc(TX_BUFFER, 12, NEXT, 1), Desc(TX_BUFFER, 12, NEXT, 0)),
    "a readable buffer after a writable one": (Desc(TX_BUFFER, 12, NEXT | WRITE, 1), Desc(TX_BUFFER, 60)),
    "an indirect table of 17 bytes": (Desc(TABLE, 17, TABLE_FLAG),),
    "an indirect table of 0 bytes": (Desc(TABLE, 0, TABLE_FLAG),),
    "an indirect table in the hole": (Desc(NOWHERE, 32, TABLE_FLAG),),
}


def _broken(descs: tuple[Desc, ...]) -> Callable[[Bench], list[Any]]:
    def run(bench: Bench) -> list[Any]:
        guest = Guest(bench, INDIRECT)
        guest.put(TX_BUFFER, HEADER + frame(6))
        for number, desc in enumerate(descs):
            guest.write_desc(TX, number, desc)
        guest.publish_head(TX, 0)
        return [_bad(guest, TX), *_mended(guest, GOOD)]

    return run


for _name, _descs in _DESCRIPTORS.items():
    SUITE.add(f"{_name}, then mended", _broken(_descs))


def _table(entries: tuple[Desc, ...]) -> Callable[[Bench], list[Any]]:
    def run(bench: Bench) -> list[Any]:
        guest = Guest(bench, INDIRECT)
        guest.put(TX_BUFFER, HEADER + frame(6))
        bench.memory.write(TABLE, b"".join(entry.pack() for entry in entries))
        guest.write_desc(TX, 0, Desc(TABLE, 16 * len(entries), TABLE_FLAG))
        guest.publish_head(TX, 0)
        return [_bad(guest, TX), *_mended(guest, GOOD)]

    return run


SUITE.add("an indirect table in an indirect table", _table((Desc(TABLE, 16, TABLE_FLAG),)))
SUITE.add("an indirect table that is a loop", _table((Desc(TX_BUFFER, 12, NEXT, 1), Desc(TX_BUFFER, 12, NEXT, 0))))
SUITE.add("an indirect buffer in the hole", _table((Desc(NOWHERE, LENGTH),)))


@SUITE.case
def _a_head_out_of_range_then_mended(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.put(TX_BUFFER, HEADER + frame(6))
    guest.publish_head(TX, 8)
    bad = _bad(guest, TX)
    guest.rings[TX].store_avail_entry(0, 0)
    return [bad, *_mended(guest, GOOD)]


@SUITE.case
def _avail_idx_jumps_by_more_than_the_ring_then_mended(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.put(TX_BUFFER, HEADER + frame(6))
    guest.rings[TX].store_avail_idx(9)
    guest.kick(TX)
    bad = _bad(guest, TX)
    guest.rings[TX].store_avail_entry(0, 0)
    guest.rings[TX].store_avail_idx(1)
    return [bad, *_mended(guest, GOOD)]


@SUITE.case
def _avail_idx_goes_back(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.send(1)
    guest.rings[TX].store_avail_idx(0)
    guest.kick(TX)
    return _bad(guest, TX)


@SUITE.case
def _a_bad_buffer_without_a_second_kick_stays(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.write_desc(TX, 0, Desc(NOWHERE, LENGTH))
    guest.publish_head(TX, 0)
    guest.settle(TX)
    guest.write_desc(TX, 0, GOOD)
    return _bad(guest, TX)


@SUITE.case
def _good_chains_before_a_bad_one_are_sent(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.offer(1, 2)
    guest.write_desc(TX, 5, Desc(NOWHERE, LENGTH))
    guest.publish_head(TX, 5)
    return _bad(guest, TX) | {"seen": guest.seen(2)}


@SUITE.case
def _a_writable_chain_on_transmit_is_passed_over(bench: Bench) -> list[Any]:
    """vhost does not put it back: the next kick takes the chain behind it, and this one never returns."""
    guest = Guest(bench)
    guest.put(TX_BUFFER, HEADER + frame(6))
    guest.write_desc(TX, 0, Desc(TX_BUFFER, LENGTH, WRITE))
    guest.publish_head(TX, 0)
    bad = _bad(guest, TX)
    guest.write_desc(TX, 1, GOOD)
    guest.publish_head(TX, 1)
    return [bad, guest.settle(TX), guest.seen(1), list(guest.rings[TX].read_used_entry(0)), guest.state(TX)]


@SUITE.case
def _an_empty_chain_on_transmit_is_passed_over(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.write_desc(TX, 0, Desc(TX_BUFFER, 0))
    guest.publish_head(TX, 0)
    return [_bad(guest, TX)]


@SUITE.case
def _a_chain_of_the_header_alone(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.write_desc(TX, 0, Desc(TX_BUFFER, 12))
    guest.publish_head(TX, 0)
    return [_bad(guest, TX), list(guest.rings[TX].read_used_entry(0))]


def _receive(desc: Desc) -> Callable[[Bench], list[Any]]:
    def run(bench: Bench) -> list[Any]:
        guest = Guest(bench)
        guest.write_desc(RX, 0, desc)
        guest.publish_head(RX, 0)
        guest.settle(RX)
        bad = {"ended": guest.arrive(frame(1)), "state": guest.state(RX)}
        guest.write_desc(RX, 0, Desc(RX_BUFFER, 2048, WRITE))
        guest.kick(RX)
        return [bad, guest.settle(RX), guest.state(RX), list(guest.rings[RX].read_used_entry(0))]

    return run


SUITE.add("a receive buffer in the hole, then mended", _receive(Desc(NOWHERE, 2048, WRITE)))
SUITE.add("a receive buffer that runs over the end, then mended", _receive(Desc(0x20000 - 10, 2048, WRITE)))
SUITE.add("a readable chain on receive, then mended", _receive(Desc(RX_BUFFER, 2048)))
SUITE.add("an empty chain on receive, then mended", _receive(Desc(RX_BUFFER, 0, WRITE)))


@SUITE.case
def _a_receive_head_out_of_range(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.publish_head(RX, 200)
    guest.settle(RX)
    return {"ended": guest.arrive(frame(1)), "state": guest.state(RX)}
