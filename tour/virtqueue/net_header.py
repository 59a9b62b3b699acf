"""struct virtio_net_hdr: 12 bytes before every packet, in both directions (virtio v1.3 5.1.6)."""

from __future__ import annotations

from typing import NamedTuple

from tour.abi.layouts import NET_HDR

SIZE = NET_HDR.size
"""Bytes of the header once VERSION_1 or MRG_RXBUF is negotiated (10 before that)."""

NEEDS_CSUM, DATA_VALID, RSC_INFO = 1, 2, 4
GSO_NONE, GSO_TCPV4, GSO_UDP, GSO_TCPV6, GSO_ECN = 0, 1, 3, 4, 0x80


class NetHeader(NamedTuple):
    """What the packet still needs done. ``flags`` and ``gso_type`` are bit sets; lengths and offsets are in
    bytes from the start of the packet; ``num_buffers`` counts the descriptor chains of a received packet."""

    flags: int = 0
    gso_type: int = GSO_NONE
    hdr_len: int = 0
    gso_size: int = 0
    csum_start: int = 0
    csum_offset: int = 0
    num_buffers: int = 0

    def pack(self) -> bytes:
        """The 12 bytes. Raises struct.error when a field does not fit."""
        return NET_HDR.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> NetHeader:
        """From the first 12 bytes of ``data``. Raises ValueError when there are fewer."""
        if len(data) < SIZE:
            raise ValueError(f"virtio_net_hdr needs {SIZE} bytes, got {len(data)}")
        return cls(**NET_HDR.unpack(data[:SIZE]))
