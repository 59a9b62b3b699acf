"""UDP and TCP over IPv4 as a driver hands them to a device that finishes them, and a look at what then arrived.

An unfinished frame holds the pseudo-header's sum where its checksum belongs; virtio_net_hdr says where that is.
Sources: RFC 768 (UDP), RFC 9293 3.1 (TCP), RFC 1071 (checksum), virtio v1.3 5.1.6.2.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from tour.trace.frames import ETH_P_IP, checksum, ethernet, ip_bytes, ipv4

TCP, UDP = 6, 17
ETHERNET, IP, UDP_HEADER, TCP_HEADER = 14, 20, 8, 20
L4_AT = ETHERNET + IP
"""Where UDP or TCP begins in a frame of ours: csum_start."""
UDP_SUM, TCP_SUM = 6, 16
"""Where in the UDP or TCP header its checksum lies: csum_offset."""
_UDP = struct.Struct("!HHHH")
_TCP = struct.Struct("!HHIIBBHHH")
PSH_ACK = 0x18
_SUM_AT = {TCP: TCP_SUM, UDP: UDP_SUM}


class Ends(NamedTuple):
    """Whose frame it is: MAC and IPv4 address and port of sender and receiver."""

    src_mac: str
    src: str
    sport: int
    dst_mac: str
    dst: str
    dport: int


def pseudo_sum(src: bytes, dst: bytes, proto: int, length: int) -> int:
    """The pseudo-header's sum, folded and not complemented: what an unfinished checksum field holds."""
    return ~checksum(src + dst + struct.pack("!BBH", 0, proto, length)) & 0xFFFF


def unfinished_udp(ends: Ends, data: bytes) -> bytes:
    """A UDP datagram's frame whose checksum only covers the pseudo-header."""
    length = UDP_HEADER + len(data)
    partial = pseudo_sum(ip_bytes(ends.src), ip_bytes(ends.dst), UDP, length)
    body = _UDP.pack(ends.sport, ends.dport, length, partial) + data
    return ethernet(ends.dst_mac, ends.src_mac, ETH_P_IP, ipv4(ends.src, ends.dst, UDP, body))


def unfinished_tcp(ends: Ends, seq: int, ack: int, data: bytes, flags: int = PSH_ACK) -> bytes:
    """A TCP segment's frame, as long as IPv4 allows, whose checksum only covers the pseudo-header."""
    length = TCP_HEADER + len(data)
    partial = pseudo_sum(ip_bytes(ends.src), ip_bytes(ends.dst), TCP, length)
    words = (ends.sport, ends.dport, seq, ack, TCP_HEADER // 4 << 4, flags, 0xFFFF, partial, 0)
    body = _TCP.pack(*words) + data
    return ethernet(ends.dst_mac, ends.src_mac, ETH_P_IP, ipv4(ends.src, ends.dst, TCP, body))


class Segment(NamedTuple):
    """A frame taken apart: its protocol, its checksum field, whether IPv4's and its own checksum are right, TCP's
    sequence number (0 for UDP), and its data."""

    proto: int
    field: int
    ip_right: bool
    right: bool
    seq: int
    data: bytes


def take_apart(frame: bytes) -> Segment | None:
    """The UDP or TCP packet in ``frame``; None for anything else, or one cut short."""
    if len(frame) < L4_AT + UDP_HEADER or frame[12:15] != b"\x08\x00\x45" or frame[23] not in _SUM_AT:
        return None
    proto, end = frame[23], ETHERNET + int.from_bytes(frame[16:18], "big")
    body = frame[L4_AT:end]
    if end > len(frame) or len(body) < (TCP_HEADER if proto == TCP else UDP_HEADER):
        return None
    pseudo = frame[26:34] + struct.pack("!BBH", 0, proto, len(body))
    head = body[12] >> 2 if proto == TCP else UDP_HEADER
    seq = int.from_bytes(body[4:8], "big") if proto == TCP else 0
    field = int.from_bytes(body[_SUM_AT[proto] :][:2], "big")
    ip_right = checksum(frame[ETHERNET:L4_AT]) == 0
    return Segment(proto, field, ip_right, checksum(pseudo + body) == 0, seq, body[head:])


def pseudo_of(frame: bytes) -> int:
    """The pseudo-header's sum for the UDP or TCP packet in ``frame``, from its addresses and length."""
    return pseudo_sum(frame[26:30], frame[30:34], frame[23], int.from_bytes(frame[16:18], "big") - IP)


def finished_sum(frame: bytes) -> int:
    """What the checksum field of an unfinished frame has to become [virtio v1.3 5.1.6.2]: the complement of the sum
    over everything from UDP or TCP on, the pseudo-header's sum included where it stands."""
    found = checksum(frame[L4_AT:])
    return found or 0xFFFF if frame[23] == UDP else found


def joined(segments: list[Segment], first: int) -> bytes:
    """The data of TCP segments in order of their sequence numbers from ``first`` on, as far as there is no gap."""
    data = b""
    for one in sorted(segments, key=lambda one: (one.seq - first) & 0xFFFFFFFF):
        if (one.seq - first) & 0xFFFFFFFF != len(data):
            break
        data += one.data
    return data
