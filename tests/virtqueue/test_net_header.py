"""virtio_net_hdr: 12 bytes, little-endian, num_buffers last."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.virtqueue.net_header import GSO_TCPV4, NEEDS_CSUM, SIZE, NetHeader


def test_bytes_of_a_header() -> None:
    header = NetHeader(NEEDS_CSUM, GSO_TCPV4, 54, 1448, 34, 16, 2)
    assert header.pack().hex() == "01013600a805220010000200"  # noqa: ISC001 - one group a field


def test_an_empty_header_is_twelve_zeros() -> None:
    assert NetHeader().pack() == bytes(SIZE) == bytes(12)


@given(st.binary(min_size=12, max_size=40))
def test_round_trip(data: bytes) -> None:
    assert NetHeader.unpack(data).pack() == data[:12]


def test_too_short_and_too_big() -> None:
    with pytest.raises(ValueError, match="needs 12 bytes, got 11"):
        NetHeader.unpack(bytes(11))
    with pytest.raises(struct.error):
        NetHeader(num_buffers=1 << 16).pack()
