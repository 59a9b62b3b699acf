"""Frames: build and take apart Ethernet, ARP, IPv4 and ICMP echo, byte for byte.

Pure, because a recorded frame must be explained where there is no network. Whatever the bytes, taking apart
never raises: what is missing becomes one field named ``truncated``.

Sources: IEEE 802.3 (Ethernet II), RFC 826 (ARP), RFC 791 (IPv4), RFC 792 (ICMP echo), RFC 1071 (checksum),
virtio v1.3 5.1.6 (struct virtio_net_hdr).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

ETH_P_IP = 0x0800
ETH_P_ARP = 0x0806
BROADCAST = "ff:ff:ff:ff:ff:ff"
ARP_REQUEST = 1
ARP_REPLY = 2
IPPROTO_ICMP = 1
ICMP_ECHO_REPLY = 0
ICMP_ECHO_REQUEST = 8
NET_HDR_LEN = 12

_ETH = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IP = struct.Struct("!BBHHHBBH4s4s")
_ICMP = struct.Struct("!BBHHH")


@dataclass(frozen=True)
class Field:
    """A named part of a frame: ``offset`` and ``length`` in bytes, ``name`` a key such as ``arp.spa``, ``value``
    as text (an address, a number, or hexadecimal bytes)."""

    offset: int
    length: int
    name: str
    value: str


@dataclass(frozen=True)
class Arp:
    """An ARP packet for IPv4 over Ethernet (RFC 826): ``oper`` 1 request, 2 reply."""

    oper: int
    sha: str
    spa: str
    tha: str
    tpa: str


@dataclass(frozen=True)
class Echo:
    """An ICMP echo (RFC 792) with the Ethernet and IPv4 addresses around it; ``kind`` 8 request, 0 reply."""

    kind: int
    src_mac: str
    dst_mac: str
    src: str
    dst: str
    ident: int
    seq: int
    data: bytes = b""


def mac_bytes(text: str) -> bytes:
    """Six bytes of ``02:00:00:00:00:01``. Raises ValueError."""
    raw = bytes.fromhex(text.replace(":", ""))
    if len(raw) != 6:
        raise ValueError(f"{text!r} is not a MAC address")
    return raw


def mac_text(raw: bytes) -> str:
    """The usual notation of six bytes."""
    return raw.hex(":")


def ip_bytes(text: str) -> bytes:
    """Four bytes of ``10.0.2.1``. Raises ValueError."""
    return ipaddress.IPv4Address(text).packed


def ip_text(raw: bytes) -> str:
    """The usual notation of four bytes."""
    return ".".join(map(str, raw))


def checksum(data: bytes) -> int:
    """The Internet checksum of ``data`` (RFC 1071): 0 when the data hold their own correct checksum."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(dst: str, src: str, ethertype: int, payload: bytes) -> bytes:
    """An Ethernet II frame, without the frame check sequence and without padding: a tap wants neither."""
    return _ETH.pack(mac_bytes(dst), mac_bytes(src), ethertype) + payload


def arp(packet: Arp) -> bytes:
    """The Ethernet frame of an ARP packet: a request is broadcast, a reply goes to ``tha``."""
    body = _ARP.pack(
        1, ETH_P_IP, 6, 4, packet.oper,
        mac_bytes(packet.sha), ip_bytes(packet.spa), mac_bytes(packet.tha), ip_bytes(packet.tpa),
    )  # fmt: skip
    dst = BROADCAST if packet.oper == ARP_REQUEST else packet.tha
    return ethernet(dst, packet.sha, ETH_P_ARP, body)


def arp_request(sha: str, spa: str, tpa: str) -> bytes:
    """The frame 'who has ``tpa``? tell ``spa``'."""
    return arp(Arp(ARP_REQUEST, sha, spa, "00:00:00:00:00:00", tpa))


def ipv4(src: str, dst: str, proto: int, payload: bytes, *, ident: int = 0, ttl: int = 64) -> bytes:
    """An IPv4 packet without options, with a correct header checksum. Raises ValueError above 65535 bytes."""
    size = _IP.size + len(payload)
    if size > 0xFFFF:
        raise ValueError(f"an IPv4 packet of {size} bytes")
    parts = [0x45, 0, size, ident, 0, ttl, proto, 0, ip_bytes(src), ip_bytes(dst)]
    parts[7] = checksum(_IP.pack(*parts))
    return _IP.pack(*parts) + payload


def unnumbered(frame: bytes) -> bytes:
    """The frame without the number its sender's stack gave it: IPv4's identification, and the checksum over it, are 0.

    Linux draws that of an ICMP reply from a counter that begins at random (__ip_select_ident(), net/ipv4/route.c@6.1).
    """
    if len(frame) < _ETH.size + _IP.size or _ethertype(frame) != ETH_P_IP:
        return frame
    at = _ETH.size
    return frame[: at + 4] + bytes(2) + frame[at + 6 : at + 10] + bytes(2) + frame[at + 12 :]


def echo(packet: Echo) -> bytes:
    """The Ethernet frame of an ICMP echo, all checksums right."""
    head = _ICMP.pack(packet.kind, 0, 0, packet.ident, packet.seq)
    total = checksum(head + packet.data)
    body = _ICMP.pack(packet.kind, 0, total, packet.ident, packet.seq) + packet.data
    return ethernet(packet.dst_mac, packet.src_mac, ETH_P_IP, ipv4(packet.src, packet.dst, IPPROTO_ICMP, body))


def parse_arp(frame: bytes) -> Arp:
    """The ARP packet in ``frame``. Raises ValueError when it is not one for IPv4 over Ethernet."""
    if len(frame) < _ETH.size + _ARP.size or _ethertype(frame) != ETH_P_ARP:
        raise ValueError("not an ARP frame")
    htype, ptype, hlen, plen, oper, sha, spa, tha, tpa = _ARP.unpack_from(frame, _ETH.size)
    if (htype, ptype, hlen, plen) != (1, ETH_P_IP, 6, 4):
        raise ValueError("ARP, but not for IPv4 over Ethernet")
    return Arp(oper, mac_text(sha), ip_text(spa), mac_text(tha), ip_text(tpa))


def parse_echo(frame: bytes) -> Echo:
    """The ICMP echo in ``frame``. Raises ValueError when it is not one or a checksum is wrong."""
    if len(frame) < _ETH.size + _IP.size + _ICMP.size or _ethertype(frame) != ETH_P_IP:
        raise ValueError("not an IPv4 frame that could hold an echo")
    first, _, size, _, frag, _, proto, _, src, dst = _IP.unpack_from(frame, _ETH.size)
    start, end = _ETH.size + (first & 15) * 4, _ETH.size + size
    if first >> 4 != 4 or start < _ETH.size + _IP.size or start + _ICMP.size > end or end > len(frame):
        raise ValueError("IPv4 lengths that do not fit")
    if proto != IPPROTO_ICMP or frag & 0x3FFF or checksum(frame[_ETH.size : start]):
        raise ValueError("not a whole ICMP packet, or a wrong header checksum")
    kind, code, _, ident, seq = _ICMP.unpack_from(frame, start)
    if kind not in (ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY) or code or checksum(frame[start:end]):
        raise ValueError("not an ICMP echo, or a wrong checksum")
    macs = mac_text(frame[6:12]), mac_text(frame[:6])
    return Echo(kind, *macs, ip_text(src), ip_text(dst), ident, seq, frame[start + _ICMP.size : end])


def _ethertype(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")


# -- taking apart, field by field -------------------------------------------------------------------------

Show = Callable[[bytes], str]
Plan = Sequence[tuple[str, int, Show]]


def _big(raw: bytes) -> str:
    return str(int.from_bytes(raw, "big"))


def _hex(raw: bytes) -> str:
    return f"{int.from_bytes(raw, 'big'):#0{2 + 2 * len(raw)}x}"


def _little(raw: bytes) -> str:
    return str(int.from_bytes(raw, "little"))


_ETH_PLAN: Plan = (("eth.dst", 6, mac_text), ("eth.src", 6, mac_text), ("eth.type", 2, _hex))
_ARP_PLAN: Plan = (
    ("arp.htype", 2, _big), ("arp.ptype", 2, _hex), ("arp.hlen", 1, _big), ("arp.plen", 1, _big),
    ("arp.oper", 2, _big), ("arp.sha", 6, mac_text), ("arp.spa", 4, ip_text), ("arp.tha", 6, mac_text),
    ("arp.tpa", 4, ip_text),
)  # fmt: skip
_IP_PLAN: Plan = (
    ("ip.version_ihl", 1, _hex), ("ip.tos", 1, _hex), ("ip.len", 2, _big), ("ip.id", 2, _hex),
    ("ip.frag", 2, _hex), ("ip.ttl", 1, _big), ("ip.proto", 1, _big), ("ip.csum", 2, _hex),
    ("ip.src", 4, ip_text), ("ip.dst", 4, ip_text),
)  # fmt: skip
_ICMP_PLAN: Plan = (
    ("icmp.type", 1, _big), ("icmp.code", 1, _big), ("icmp.csum", 2, _hex), ("icmp.id", 2, _hex),
    ("icmp.seq", 2, _big),
)  # fmt: skip
_HDR_PLAN: Plan = (
    ("hdr.flags", 1, _hex), ("hdr.gso_type", 1, _hex), ("hdr.hdr_len", 2, _little), ("hdr.gso_size", 2, _little),
    ("hdr.csum_start", 2, _little), ("hdr.csum_offset", 2, _little), ("hdr.num_buffers", 2, _little),
)  # fmt: skip


def _walk(data: bytes, start: int, plan: Plan) -> Iterator[Field]:
    """The fields of ``plan`` from ``start`` on; ends with ``truncated`` where the bytes end too early."""
    at = start
    for name, length, show in plan:
        raw = data[at : at + length]
        if len(raw) < length:
            yield Field(at, len(raw), "truncated", name)
            return
        yield Field(at, length, name, show(raw))
        at += length


def _rest(data: bytes, start: int, end: int, name: str) -> Iterator[Field]:
    if start < end:
        yield Field(start, end - start, name, data[start:end].hex())


def fields(frame: bytes) -> list[Field]:
    """Every byte of ``frame`` in exactly one field, in order; never raises."""
    found = list(_walk(frame, 0, _ETH_PLAN))
    if found[-1].name == "truncated":
        return found
    ethertype = _ethertype(frame)
    if ethertype == ETH_P_ARP and bytes((0, 1, 8, 0, 6, 4)).startswith(frame[14:20]):
        found += _walk(frame, _ETH.size, _ARP_PLAN)
    elif ethertype == ETH_P_IP and frame[14:15].hex()[:1] in ("4", ""):
        found += _ip_fields(frame)
    else:
        found += _rest(frame, _ETH.size, len(frame), "payload")
    if found[-1].name != "truncated":
        end = found[-1].offset + found[-1].length
        found += _rest(frame, end, len(frame), "eth.pad")
    return found


def _ip_fields(frame: bytes) -> Iterator[Field]:
    """IPv4 and what it carries, as far as its own length says."""
    at = _ETH.size
    head = list(_walk(frame, at, _IP_PLAN))
    yield from head
    if head[-1].name == "truncated":
        return
    size = int.from_bytes(frame[at + 2 : at + 4], "big")
    start, end = at + max(_IP.size, (frame[at] & 15) * 4), min(len(frame), at + size)
    yield from _rest(frame, at + _IP.size, min(start, end), "ip.options")
    first_part = not int.from_bytes(frame[at + 6 : at + 8], "big") & 0x1FFF
    if start < end and first_part and frame[at + 9] == IPPROTO_ICMP:
        yield from _icmp_fields(frame[:end], start)
    else:
        yield from _rest(frame, start, end, "payload")
    if at + size > len(frame):
        yield Field(len(frame), 0, "truncated", "ip.len")


def _icmp_fields(frame: bytes, start: int) -> Iterator[Field]:
    head = list(_walk(frame, start, _ICMP_PLAN))
    yield from head
    if head[-1].name != "truncated":
        yield from _rest(frame, start + _ICMP.size, len(frame), "icmp.data")


def header_fields(header: bytes) -> list[Field]:
    """The fields of a virtio_net_hdr of 12 bytes, little-endian (virtio v1.3 5.1.6); never raises."""
    found = list(_walk(header, 0, _HDR_PLAN))
    return found + list(_rest(header, NET_HDR_LEN, len(header), "payload"))
