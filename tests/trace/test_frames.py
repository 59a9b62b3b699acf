from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.trace import frames as F

GUEST, PEER = "02:00:00:00:00:01", "02:00:00:00:00:02"
ARP = F.arp_request(GUEST, "10.0.2.1", "10.0.2.2")
PING = F.echo(F.Echo(F.ICMP_ECHO_REQUEST, GUEST, PEER, "10.0.2.1", "10.0.2.2", 7, 1, b"hello"))
OPTIONS = PING[:14] + bytes([0x46]) + PING[15:34] + b"\x01\x01\x01\x00" + PING[34:]
macs = st.binary(min_size=6, max_size=6).map(F.mac_text)
ips = st.binary(min_size=4, max_size=4).map(F.ip_text)
words = st.integers(0, 0xFFFF)


def test_an_arp_request_is_these_42_bytes() -> None:
    assert ARP.hex(" ") == (
        "ff ff ff ff ff ff 02 00 00 00 00 01 08 06 "
        "00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 00 02 01 00 00 00 00 00 00 0a 00 02 02"
    )


def test_the_checksum_of_rfc_1071() -> None:
    assert F.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2
    assert F.checksum(b"\x01") == F.checksum(b"\x01\x00")


def test_fields_of_an_arp_request() -> None:
    shown = {field.name: (field.offset, field.length, field.value) for field in F.fields(ARP)}
    assert shown["eth.dst"] == (0, 6, "ff:ff:ff:ff:ff:ff")
    assert shown["eth.type"] == (12, 2, "0x0806")
    assert shown["arp.oper"] == (20, 2, "1")
    assert shown["arp.spa"] == (28, 4, "10.0.2.1")
    assert shown["arp.tpa"] == (38, 4, "10.0.2.2")
    assert len(shown) == 12


def test_fields_of_a_ping() -> None:
    shown = {field.name: (field.offset, field.length, field.value) for field in F.fields(PING)}
    assert shown["ip.ttl"] == (22, 1, "64")
    assert shown["icmp.seq"] == (40, 2, "1")
    assert shown["icmp.data"] == (42, 5, b"hello".hex())


def test_padding_and_options_have_names() -> None:
    assert F.fields(ARP + bytes(18))[-1] == F.Field(42, 18, "eth.pad", "00" * 18)
    assert "ip.options" in [field.name for field in F.fields(OPTIONS)]


def test_fields_of_a_header() -> None:
    raw = bytes([1, 0, 42, 0, 0, 0, 34, 0, 6, 0, 2, 0])
    shown = {field.name: field.value for field in F.header_fields(raw)}
    assert shown == {
        "hdr.flags": "0x01",
        "hdr.gso_type": "0x00",
        "hdr.hdr_len": "42",
        "hdr.gso_size": "0",
        "hdr.csum_start": "34",
        "hdr.csum_offset": "6",
        "hdr.num_buffers": "2",
    }


@given(st.integers(1, 2), macs, ips, macs, ips)
def test_arp_round_trip(oper: int, sha: str, spa: str, tha: str, tpa: str) -> None:
    packet = F.Arp(oper, sha, spa, tha, tpa)
    assert F.parse_arp(F.arp(packet)) == packet


@given(st.sampled_from([0, 8]), macs, macs, ips, ips, words, words, st.binary(max_size=1500))
def test_echo_round_trip(
    kind: int, src_mac: str, dst_mac: str, src: str, dst: str, ident: int, seq: int, data: bytes
) -> None:
    packet = F.Echo(kind, src_mac, dst_mac, src, dst, ident, seq, data)
    assert F.parse_echo(F.echo(packet)) == packet


@given(st.integers(14, len(PING) - 1), st.integers(0, 7))
def test_one_wrong_bit_in_an_echo_is_noticed(at: int, bit: int) -> None:
    wrong = bytearray(PING)
    wrong[at] ^= 1 << bit
    with pytest.raises(ValueError, match=r"echo|ICMP|IPv4"):
        F.parse_echo(bytes(wrong))


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Nearly right frames: cut, stretched and scribbled over."""
    frame = bytearray(draw(st.sampled_from([ARP, PING, OPTIONS])))
    for at, value in draw(st.lists(st.tuples(st.integers(12, 45), st.integers(0, 255)), max_size=4)):
        if at < len(frame):
            frame[at] = value
    return bytes(frame[: draw(st.integers(0, len(frame)))]) + draw(st.binary(max_size=30))


@given(st.one_of(st.binary(max_size=80), hostile()))
def test_fields_hold_every_byte_once_and_in_order(frame: bytes) -> None:
    at = 0
    for field in F.fields(frame):
        assert field.offset == at
        at += field.length
    assert at == len(frame)


@given(st.binary(max_size=20))
def test_header_fields_hold_every_byte_once_and_in_order(header: bytes) -> None:
    assert sum(field.length for field in F.header_fields(header)) == len(header)
    assert (F.header_fields(header)[-1].name == "truncated") == (len(header) < 12)


@given(st.one_of(st.binary(max_size=80), hostile()))
def test_hostile_frames_raise_nothing_but_value_error(frame: bytes) -> None:
    for parse in (F.parse_arp, F.parse_echo):
        try:
            parse(frame)
        except ValueError:
            continue


@pytest.mark.parametrize("cut", range(len(PING)))
def test_a_cut_frame_says_so(cut: int) -> None:
    assert F.fields(PING[:cut])[-1].name == "truncated"


@pytest.mark.parametrize("text", ["", "02:00", "zz:00:00:00:00:01", "02:00:00:00:00:01:02"])
def test_bad_addresses_are_value_errors(text: str) -> None:
    with pytest.raises(ValueError):
        F.mac_bytes(text)
    with pytest.raises(ValueError):
        F.ip_bytes(text)


def test_an_oversized_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="65536"):
        F.ipv4("10.0.2.1", "10.0.2.2", 1, bytes(65536 - 20))


def test_a_frame_without_its_senders_number_is_the_same_in_every_run() -> None:
    packets = [F.ipv4("10.0.2.2", "10.0.2.1", 1, b"x" * 9, ident=number) for number in (7, 900)]
    one, other = (F.ethernet(PEER, GUEST, F.ETH_P_IP, packet) for packet in packets)
    assert one != other and F.unnumbered(one) == F.unnumbered(other)
    assert len(F.unnumbered(one)) == len(one) and F.unnumbered(one)[:18] == one[:18]
    assert F.unnumbered(one[:33]) == one[:33]
    assert F.unnumbered(ARP) == ARP
