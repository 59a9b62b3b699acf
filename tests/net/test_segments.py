"""UDP and TCP frames left unfinished, finished by the rule of virtio_net_hdr, taken apart and put together."""

from __future__ import annotations

import pytest

from tour.net.segments import (
    L4_AT,
    TCP,
    TCP_SUM,
    UDP,
    UDP_SUM,
    Ends,
    Segment,
    finished_sum,
    joined,
    pseudo_of,
    take_apart,
    unfinished_tcp,
    unfinished_udp,
)

ENDS = Ends("02:00:00:00:00:01", "10.0.2.1", 4000, "02:00:00:00:00:02", "10.0.2.2", 4001)
BOTH = pytest.mark.parametrize(
    ("frame", "at", "proto"),
    [
        (unfinished_udp(ENDS, b"odd length."), L4_AT + UDP_SUM, UDP),
        (unfinished_tcp(ENDS, 1, 2, b"even length."), L4_AT + TCP_SUM, TCP),
    ],
)


def finish(frame: bytes, at: int) -> bytes:
    return frame[:at] + finished_sum(frame).to_bytes(2, "big") + frame[at + 2 :]


@BOTH
def test_only_the_finished_frame_is_right(frame: bytes, at: int, proto: int) -> None:
    before, after = take_apart(frame), take_apart(finish(frame, at))
    assert before is not None and after is not None
    assert (before.proto, before.field, before.ip_right, before.right) == (proto, pseudo_of(frame), True, False)
    assert after.right and after.data == before.data and after.data.endswith(b"length" + after.data[-1:])


@BOTH
def test_one_bit_of_data_makes_it_wrong(frame: bytes, at: int, proto: int) -> None:
    finished = bytearray(finish(frame, at))
    finished[-1] ^= 4
    found = take_apart(bytes(finished))
    assert found is not None and found.ip_right and not found.right


@BOTH
def test_what_is_cut_short_is_not_taken_apart(frame: bytes, at: int, proto: int) -> None:
    assert all(take_apart(frame[:size]) is None for size in range(len(frame)))


def test_a_sum_of_zero_is_sent_as_ones_over_udp() -> None:
    for filler in range(0x10000):
        frame = unfinished_udp(ENDS, filler.to_bytes(2, "big"))
        if finished_sum(frame) == 0xFFFF:
            return
    pytest.fail("no datagram's sum was 0")


def part(seq: int, data: bytes) -> Segment:
    return Segment(TCP, 0, True, True, seq & 0xFFFFFFFF, data)


def test_segments_are_joined_in_order_up_to_a_gap() -> None:
    first = 0xFFFFFFFE
    parts = [part(first + 3, b"def"), part(first, b"abc"), part(first + 7, b"later")]
    assert joined(parts, first) == b"abcdef"
    assert joined(parts, first + 1) == b""
