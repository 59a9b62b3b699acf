"""Behaviour: packets into the guest, mergeable buffers among them."""

from __future__ import annotations

from typing import Any

from tour.device.contract import RX
from tour.testing.bench import Bench
from tour.testing.case import Suite
from tour.testing.guest import EVENT_IDX, PLAIN, RX_BUFFER, TABLE, Guest, frame

SUITE = Suite("behaviour")


def _told(guest: Guest, ended: str) -> dict[str, Any]:
    return {"ended": ended, "reaped": guest.reaped(RX), "state": guest.state(RX)}


@SUITE.case
def _a_frame_comes_in(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    (head, *_) = guest.provide(4)
    told = _told(guest, guest.arrive(frame(1)))
    return told | {"bytes": guest.received(head, 12 + 60 + 4)}


@SUITE.case
def _several_frames_come_in(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    heads = guest.provide(8)
    told = _told(guest, guest.arrive(*(frame(tag, 60 + 100 * tag) for tag in range(5))))
    return told | {"tags": [guest.received(head, 27)[-2:] for head in heads[:5]]}


@SUITE.case
def _a_frame_that_came_before_the_buffers(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    early = _told(guest, guest.arrive(frame(1)))
    guest.provide(1)
    return [early["reaped"], early["state"], _told(guest, guest.settle(RX))]


@SUITE.case
def _more_frames_than_buffers(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.provide(2)
    first = _told(guest, guest.arrive(*(frame(tag) for tag in range(5))))
    guest.provide(4)
    return [first["reaped"], first["state"], _told(guest, guest.settle(RX))]


@SUITE.case
def _a_frame_over_three_mergeable_buffers(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    heads = guest.provide(4, size=64)
    told = _told(guest, guest.arrive(frame(1, 150)))
    return told | {"bytes": [guest.received(head, 64) for head in heads]}


@SUITE.case
def _a_frame_that_fills_two_buffers_exactly(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.provide(4, size=64)
    return _told(guest, guest.arrive(frame(1, 128 - 12)))


@SUITE.case
def _too_few_mergeable_buffers_wait_for_more(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    guest.provide(1, size=64)
    early = _told(guest, guest.arrive(frame(1, 150)))
    guest.provide(2, size=64)
    return [early["reaped"], early["state"], _told(guest, guest.settle(RX))]


@SUITE.case
def _the_header_over_two_buffers(bench: Bench) -> dict[str, Any]:
    """Six bytes, then the rest: num_buffers lies in the second chain."""
    guest = Guest(bench)
    heads = guest.provide(1, size=6) + guest.provide(1, size=64) + guest.provide(1, size=2048)
    told = _told(guest, guest.arrive(frame(1, 60)))
    return told | {"bytes": [guest.received(heads[0], 6), guest.received(heads[1], 64)]}


@SUITE.case
def _a_chain_of_several_buffers(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    head = guest.rx.add(in_=[(RX_BUFFER, 12), (RX_BUFFER + 0x1000, 20), (RX_BUFFER + 0x2000, 500)])
    guest.rx.publish()
    guest.kick(RX)
    told = _told(guest, guest.arrive(frame(1)))
    parts = [bench.memory.read(RX_BUFFER + 0x1000 * n, 20).hex() for n in range(3)]
    return told | {"head": head, "bytes": parts}


@SUITE.case
def _an_indirect_chain_receives(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, EVENT_IDX | 1 << 28)
    guest.rx.add(in_=[(RX_BUFFER, 12), (RX_BUFFER + 0x1000, 500)], indirect_at=TABLE)
    guest.rx.publish()
    guest.kick(RX)
    told = _told(guest, guest.arrive(frame(1)))
    return told | {"bytes": bench.memory.read(RX_BUFFER + 0x1000, 60).hex()}


@SUITE.case
def _without_mergeable_buffers(bench: Bench) -> dict[str, Any]:
    """The last two bytes of the header: 6.1 leaves them alone."""
    guest = Guest(bench, PLAIN)
    bench.memory.fill(RX_BUFFER, 4096, 0xEE)
    (head,) = guest.provide(1)
    told = _told(guest, guest.arrive(frame(1)))
    return told | {"bytes": guest.received(head, 12 + 60 + 4)}


@SUITE.case
def _without_mergeable_buffers_a_frame_too_big_is_dropped(bench: Bench) -> list[Any]:
    guest = Guest(bench, PLAIN)
    guest.provide(2, size=64)
    dropped = _told(guest, guest.arrive(frame(1, 150)))
    return [dropped["reaped"], dropped["state"]["base"], _told(guest, guest.arrive(frame(2, 52)))]


@SUITE.case
def _receive_index_wraps_at_65535(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, base=65534)
    guest.provide(6)
    return _told(guest, guest.arrive(*(frame(tag) for tag in range(4))))


@SUITE.case
def _mergeable_over_the_end_of_the_used_ring(bench: Bench) -> list[Any]:
    """Three used entries of one frame at slots 6, 7 and 0."""
    guest = Guest(bench, base=6)
    guest.provide(8, size=64)
    told = _told(guest, guest.arrive(frame(1, 150)))
    return [told, [list(guest.rings[RX].read_used_entry(n)) for n in (6, 7, 0)]]


@SUITE.case
def _the_far_end_answers_an_arp_request(bench: Bench) -> dict[str, Any]:
    """A real network stack behind the tap: request out, reply in."""
    tap = bench.tap()
    guest = Guest(bench, tap=tap)
    tap.address("10.0.2.2")
    (head, *_) = guest.provide(4)
    request = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0002010000000000000a000202")
    guest.tx.add(out=[guest.put(0x40000, bytes(12) + request)])
    guest.tx.publish()
    guest.kick(1)
    ended = [guest.settle(1), guest.settle(RX)]
    reply = bytes.fromhex(guest.received(head, 12 + 42))
    opcode, sender, target = reply[12 + 20 : 12 + 22], reply[12 + 28 : 12 + 32], reply[12 + 38 : 12 + 42]
    return {
        "ended": ended, "to": reply[12:18].hex(), "opcode": opcode.hex(), "sender": sender.hex(),
        "target": target.hex(), "reaped": guest.reaped(RX), "state": guest.state(RX),
    }  # fmt: skip
