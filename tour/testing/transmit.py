"""Behaviour: packets out of the guest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tour.device.contract import TX
from tour.memory.table import MemoryTable, Region
from tour.testing.bench import BUFFERS, Bench
from tour.testing.case import Suite
from tour.testing.guest import EVENT_IDX, HEADER, INDIRECT, PLAIN, TABLE, TX_BUFFER, Guest, frame
from tour.virtqueue.ring import Desc

SUITE = Suite("behaviour")


def _told(guest: Guest, ended: str, frames: int) -> dict[str, Any]:
    """What a transmit case answers: how it ended, the frames at the far end, the chains that came back."""
    return {"ended": ended, "seen": guest.seen(frames), "reaped": guest.reaped(TX), "state": guest.state(TX)}


@SUITE.case
def _a_frame_goes_out(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    return _told(guest, guest.send(1), 1)


@SUITE.case
def _a_frame_goes_out_without_mergeable_buffers(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, PLAIN)
    return _told(guest, guest.send(1), 1)


@SUITE.case
def _a_frame_arrives_byte_for_byte(bench: Bench) -> bool:
    guest = Guest(bench)
    guest.send(7, size=1514)
    return guest.tap.frames(1) == [frame(7, 1514)]


@SUITE.case
def _frames_of_many_sizes(bench: Bench) -> list[Any]:
    guest = Guest(bench)
    answers = []
    for size in (14, 15, 59, 60, 61, 100, 1000, 1513, 1514):
        ended = guest.send(size % 256, size=size)
        answers.append([size, ended, [len(one) for one in guest.tap.frames(1, 0.5)], len(guest.reaped(TX))])
    return answers


@SUITE.case
def _header_and_frame_in_buffers_of_their_own(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    data = frame(2)
    parts = [guest.put(TX_BUFFER, HEADER), guest.put(0x50000, data[:14]), guest.put(0x60000, data[14:])]
    guest.tx.add(out=parts)
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 1)


@SUITE.case
def _header_cut_in_pieces(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    data = HEADER + frame(3)
    cuts = (0, 1, 11, 13, 40, len(data))
    pairs = zip(cuts, cuts[1:], strict=False)
    parts = [guest.put(TX_BUFFER + 0x1000 * n, data[low:high]) for n, (low, high) in enumerate(pairs)]
    guest.tx.add(out=parts)
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 1)


@SUITE.case
def _a_buffer_of_length_0_in_the_middle(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.tx.add(out=[guest.put(TX_BUFFER, HEADER), (TX_BUFFER, 0), guest.put(0x50000, frame(4))])
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 1)


@SUITE.case
def _an_indirect_chain(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, INDIRECT)
    parts = [guest.put(TX_BUFFER, HEADER), guest.put(0x50000, frame(5))]
    guest.tx.add(out=parts, indirect_at=TABLE)
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 1)


@SUITE.case
def _several_chains_with_one_kick(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    return _told(guest, guest.send(1, 2, 3, 4, 5), 5)


@SUITE.case
def _heads_in_any_order(bench: Bench) -> dict[str, Any]:
    """Entries 2, 0, 1 name other descriptors than 0, 1, 2: the device goes by the entries."""
    guest = Guest(bench)
    parts = [guest.put(TX_BUFFER + 2048 * tag, HEADER + frame(tag)) for tag in range(3)]
    heads = [guest.tx.write_chain(out=[part]) for part in parts]
    for n in (2, 0, 1):
        guest.tx.write_entry(heads[n])
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 3)


@SUITE.case
def _a_full_ring_many_times_over(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    reaped, seen = 0, []
    for _ in range(5):
        guest.send(*range(8))
        reaped += len(guest.reaped(TX))
        seen += guest.seen(8)
    return {"reaped": reaped, "seen": seen, "state": guest.state(TX)}


@SUITE.case
def _more_than_a_turn_of_300_frames(bench: Bench) -> dict[str, Any]:
    """VHOST_NET_PKT_WEIGHT is 256: the rest is sent without another kick."""
    guest = Guest(bench, num=512)
    part = guest.put(TX_BUFFER, HEADER + frame(1))
    for _ in range(300):
        guest.tx.add(out=[part])
    guest.tx.publish()
    guest.kick(TX)
    ended = guest.settle(TX)
    reaped = guest.reaped(TX)
    return {"ended": ended, "reaped": len(reaped), "lens": sorted({used[1] for used in reaped}), **guest.state(TX)}


@SUITE.case
def _the_index_wraps_at_65535(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, base=65534)
    return _told(guest, guest.send(1, 2, 3, 4), 4)


@SUITE.case
def _the_index_wraps_with_event_idx(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, EVENT_IDX, base=65534)
    told = _told(guest, guest.send(1, 2, 3, 4), 4)
    return told | {"avail_event": guest.rings[TX].load_avail_event()}


@SUITE.case
def _a_ring_of_two(bench: Bench) -> list[Any]:
    guest = Guest(bench, num=2)
    return [_told(guest, guest.send(tag, tag + 1), 2) for tag in (0, 2, 4)]


@SUITE.case
def _a_ring_of_one(bench: Bench) -> list[Any]:
    guest = Guest(bench, num=1)
    return [_told(guest, guest.send(tag), 1) for tag in (0, 1)]


@SUITE.case
def _a_kick_without_anything_published(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 0)


@SUITE.case
def _published_and_not_kicked(bench: Bench) -> list[Any]:
    """Nothing moves until the kick; the entry alone tells the device nothing."""
    guest = Guest(bench)
    guest.offer(1)
    forgotten = _told(guest, guest.settle(TX), 0)
    guest.kick(TX)
    return [forgotten, _told(guest, guest.settle(TX), 1)]


@SUITE.case
def _added_and_not_published(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.tx.add(out=[guest.put(TX_BUFFER, HEADER + frame(1))])
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 0)


@SUITE.case
def _a_kick_eventfd_that_was_rung_before_it_was_set(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.offer(1)
    guest.device.set_vring_kick(TX, bench.eventfd(1))
    return _told(guest, guest.settle(TX), 1)


@SUITE.case
def _the_kick_eventfd_is_never_read(bench: Bench) -> int:
    guest = Guest(bench)
    for tag in range(3):
        guest.send(tag)
        guest.reaped(TX)
    return guest.count(TX, "kick")


@SUITE.case
def _without_a_call_eventfd(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.device.set_vring_call(TX, -1)
    return _told(guest, guest.send(1), 1)


@SUITE.case
def _a_link_that_is_down_loses_the_frame_and_returns_the_buffer(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench, tap=bench.tap(up=False))
    return {"ended": guest.send(1), "reaped": guest.reaped(TX), "state": guest.state(TX)}


@SUITE.case
def _a_frame_shorter_than_ethernet_is_dropped_and_returned(bench: Bench) -> dict[str, Any]:
    guest = Guest(bench)
    guest.tx.add(out=[guest.put(TX_BUFFER, HEADER + b"\xff" * 8)])
    guest.tx.publish()
    guest.kick(TX)
    return _told(guest, guest.settle(TX), 0)


def _giant(size: int) -> Callable[[Bench], dict[str, Any]]:
    def run(bench: Bench) -> dict[str, Any]:
        guest = Guest(bench)
        guest.put(TX_BUFFER, HEADER + frame(1))
        guest.tx.add(out=[(TX_BUFFER, size)])
        guest.tx.publish()
        guest.kick(TX)
        return {"ended": guest.settle(TX), "reaped": guest.reaped(TX), "state": guest.state(TX)}

    return run


for _size in (12 + 65536, 70_000, 200_000, 0x70000):
    SUITE.add(f"a giant of {_size} bytes is returned, sent or not", _giant(_size))


def _overlapping(bench: Bench) -> list[Region]:
    """Two regions that share a page of guest addresses, at different places of the bench's memory."""
    hva = bench.table.translate(BUFFERS, 0x30000)
    return [Region(1 << 20, 0x2000, hva + 0x10000), Region((1 << 20) + 0x1000, 0x2000, hva + 0x20000)]


def _from_overlap(guest: Guest, rows: list[Region]) -> list[Any]:
    """Tags of the frames that leave from an address in both regions, and from one that runs from the first alone
    into the second."""
    last = 20
    guest.put(BUFFERS + 0x11000, HEADER + frame(1))
    guest.put(BUFFERS + 0x20000, HEADER + frame(2))
    guest.put(BUFFERS + 0x12000 - last, (HEADER + frame(3))[:last])
    guest.put(BUFFERS + 0x21000, (HEADER + frame(3))[last:])
    guest.device.set_mem_table(MemoryTable([*guest.bench.table.regions, *rows]))
    told = []
    for at in (0x1000, 0x2000 - last):
        guest.write_desc(TX, 0, Desc((1 << 20) + at, len(HEADER) + 60))
        guest.publish_head(TX, 0)
        told += [guest.settle(TX), guest.seen(1)]
    return told


@SUITE.case
def _where_regions_overlap_the_one_that_begins_lower_is_taken(bench: Bench) -> list[Any]:
    guest, rows = Guest(bench), _overlapping(bench)
    return [_from_overlap(guest, rows), _from_overlap(guest, rows[::-1])]


@SUITE.case
def _of_regions_that_begin_alike_the_one_told_first_is_taken(bench: Bench) -> list[Any]:
    guest, (one, other) = Guest(bench), _overlapping(bench)
    guest.put(BUFFERS + 0x10000, HEADER + frame(4))
    guest.put(BUFFERS + 0x20000, HEADER + frame(5))
    guest.write_desc(TX, 0, Desc(one.gpa, len(HEADER) + 60))
    seen = []
    for rows in ([one, replace(other, gpa=one.gpa)], [replace(other, gpa=one.gpa), one]):
        guest.device.set_mem_table(MemoryTable(rows))
        guest.publish_head(TX, 0)
        seen += [guest.settle(TX), guest.seen(1)]
    return seen
