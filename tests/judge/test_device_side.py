"""What surrounds a student's device: a peer that really answers, a dirty log in steps, drivers that look closely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tour.judge.bench import Bench
from tour.judge.device_side import LogHandle, PortHandle, Wire
from tour.judge.driver_side import WRAP, Receiver, Sender, request, same_frames
from tour.judge.ops import Broken, Refused
from tour.judge.talk import Trusted
from tour.net.frames import PEER_MAC, parse_arp, parse_echo

HEADER = bytes(12)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(Trusted(), "1", "it.py", "", 1, stack)


def test_the_peer_has_seen_a_frame_and_answered_when_send_is_over(bench: Bench) -> None:
    port = PortHandle("port", Wire(bench.stack))
    asked = [request(bench), request(bench, 30), request(bench, 1400)]
    assert port.do("peek", []) == 0 and port.do("receive", []) is None
    for frame in asked:
        assert port.do("send", [HEADER + frame]) == 12 + len(frame)
    assert port.wire.seen == asked
    assert port.do("peek", []) == 54
    first, second = port.do("receive", []), port.do("receive", [])
    assert parse_arp(first[12:]).sha == PEER_MAC
    assert parse_echo(second[12:]).data == parse_echo(asked[1]).data
    assert len(port.wire.waiting) == 1


@pytest.mark.parametrize("packet", [b"", HEADER, HEADER + bytes(13)])
def test_what_is_no_packet_never_reaches_the_wire(bench: Bench, packet: bytes) -> None:
    port = PortHandle("port", Wire(bench.stack))
    with pytest.raises(Refused, match="no packet"):
        port.do("send", [packet])
    port.do("send", [HEADER + request(bench)])
    assert len(port.wire.seen) == 1


def test_a_log_is_changed_in_one_step_or_in_two() -> None:
    log = LogHandle("log", 4)
    log.do("store", [1, 0b10])
    log.do("set_bits", [1, 0b100])
    assert log.do("load", [1]) == 0b110 and log.pages() == {9, 10}
    assert log.do("take", [1]) == 0b110 and log.pages() == set()


@pytest.mark.parametrize(
    ("args", "kind"),
    [([4, 0], "IndexError"), ([-1, 0], "ValueError"), ([0, 256], "ValueError"), ([0, "1"], "TypeError")],
)
def test_a_log_has_its_bytes_and_no_more(args: list[object], kind: str) -> None:
    with pytest.raises(Refused) as refused:
        LogHandle("log", 4).do("set_bits", args)
    assert refused.value.kind == kind


def test_a_senders_packets_lie_in_its_chains(bench: Bench) -> None:
    driver = Sender(bench, 8, 65535)
    frame = request(bench, 100)
    head = driver.offer(frame, 4)
    driver.publish()
    assert (driver.kicks, driver.waiting(65535)) == (1, 1)
    assert driver.ring.read_avail_entry(65535) == head == driver.heads[0]
    assert b"".join(bench.memory.read(*part) for part in driver.places[0]) == HEADER + frame
    driver.spoil(1)
    assert set(b"".join(bench.memory.read(*part) for part in driver.places[0])) == {0xEE}


def test_used_entries_are_looked_at_one_by_one(bench: Bench) -> None:
    driver = Sender(bench, 8, 65535)
    driver.offer(request(bench))
    driver.publish()
    for head, length, idx, field in ((99, 0, 0, "id"), (driver.heads[0], 5, 0, "len"), (driver.heads[0], 0, 1, "idx")):
        driver.ring.store_used_entry(65535, head, length)
        driver.ring.store_used_idx(idx)
        with pytest.raises(Broken) as broken:
            driver.check_used([0])
        assert broken.value.field.endswith(field)
    driver.ring.store_used_idx(0)
    driver.check_used([0])


def _write(bench: Bench, driver: Receiver, packet: bytes) -> None:
    for parts in driver.chains:
        for gpa, size in parts:
            bench.memory.write(gpa, packet[:size])
            packet = packet[size:]


def test_a_receivers_buffers_are_looked_at_to_the_guard(bench: Bench) -> None:
    driver = Receiver(bench, 8, WRAP - 1)
    driver.give(20, 10)
    driver.give(40)
    packet = bytes(range(1, 51))
    assert driver.lengths([packet]) == [[30, 20]]
    right = packet[:10] + b"\2\0" + packet[12:]
    _write(bench, driver, right)
    driver.check_buffers([packet])
    for wrong, field in (
        (packet[:10] + b"\3\0" + packet[12:], "num_buffers"),
        (right[:-1] + b"\0", "chain 1"), (right + b"\0", "chain 1"),
        (right[:25] + b"\0" + right[26:], "chain 0, buffer 1, from byte 5"),
    ):  # fmt: skip
        _write(bench, driver, wrong)
        with pytest.raises(Broken) as broken:
            driver.check_buffers([packet])
        assert field in broken.value.field
        _write(bench, driver, right + b"\x5a" * 20)
    guarded, size = driver.chains[1][0]
    bench.memory.write(guarded + size, b"\0")
    with pytest.raises(Broken, match="from byte 40"):
        driver.check_buffers([packet])


def test_the_first_frame_that_differs_is_named(bench: Bench) -> None:
    same_frames(bench, "at the peer", [b"ab", b"cd"], [b"ab", b"cd"])
    for found, field in (
        ([b"ab"], "frames at"),
        ([b"ab", b"cx"], "frame 1 at the peer, from byte 1"),
        ([b"a"], "length"),
    ):
        with pytest.raises(Broken, match=field):
            same_frames(bench, "at the peer", [b"ab", b"cd"], found)
