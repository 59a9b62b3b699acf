"""The engine on a real tap: with io_uring and without, small frames in batches, large ones over many buffers."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from tests.csrc.rig import BUFFERS, EVENT_IDX, HEADER, MERGEABLE, RX, TX, Rig, until
from tests.support import in_own_network
from tour.net.links import open_links
from tour.net.tap import TapPort

MAC = bytes.fromhex("0200000000fe")
LOCAL = b"\x88\xb5"
ETH_P_ALL = 3
TUN_F_CSUM, TUN_F_TSO4 = 1, 2
NEEDS_CSUM, GSO_TCPV4 = 1, 1


def frame(n: int, size: int = 60) -> bytes:
    return MAC + MAC + LOCAL + struct.pack(">H", n) + bytes([n & 255]) * (size - 16)


def sniffer(tap: TapPort) -> socket.socket:
    """The tap's link is up, and what passes there is seen."""
    open_links().set_up(tap.name)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((tap.name, ETH_P_ALL))
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return sock


def rig_on(tap: TapPort, how: str, features: int = MERGEABLE | EVENT_IDX) -> Rig:
    rig = Rig(features, port=tap.fileno(), frame_max=65550)
    if how == "plain":
        rig.engine.plain()
    return rig


@pytest.mark.parametrize("how", ["together", "plain"])
@in_own_network
def test_out_through_a_tap(how: str) -> None:
    with TapPort() as tap, rig_on(tap, how) as rig, sniffer(tap) as seen:
        rig.start()
        for start in range(0, 1000, 200):
            rig.send(*(frame(n) for n in range(start, start + 200)))
            rig.reaped(TX, 200)
        got = [seen.recv(2048) for _ in range(1000)]
        assert got == [frame(n) for n in range(1000)]
        counts = rig.engine.counts(TX)
        assert (counts.packets, counts.dropped) == (1000, 0)
        held = rig.engine._ffi.new("struct vt_status *")
        rig.engine._lib.vt_engine_status(rig.engine._at, TX, held)
        assert held.many_writes in (0, how == "together"), "io_uring may be forbidden here"
        assert counts.syscalls < 500 or not held.many_writes


@pytest.mark.parametrize("features", ["0", str(MERGEABLE)])
@pytest.mark.parametrize("how", ["together", "plain"])
@in_own_network
def test_in_through_a_tap(how: str, features: str) -> None:
    with TapPort() as tap, rig_on(tap, how, int(features)) as rig, sniffer(tap) as source:
        rig.start()
        for start in range(0, 1000, 200):
            rig.offer(200)
            for n in range(start, start + 200):
                source.send(frame(n, 60 + n))
            for at, used in enumerate(rig.reaped(RX, 200), start):
                assert used.len == HEADER + 60 + at
                assert rig.memory.read(rig.place(at) + HEADER, 60 + at) == frame(at, 60 + at)
        assert rig.engine.counts(RX).dropped == 0


@in_own_network
def test_a_large_packet_out_and_in() -> None:
    """One chain of 40 buffers out becomes many frames at the peer; in, one packet fills several buffers."""
    payload = os.urandom(60000)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + 20 + 60000, 1, 0x4000, 64, 6, 0, b"\n\0\0\1", b"\n\0\0\2")
    tcp = struct.pack(">HHIIBBHHH", 1, 2, 0, 0, 0x50, 0x10, 0xFFFF, 0, 0)
    packet = MAC + MAC + b"\x08\x00" + ip + tcp + payload
    header = struct.pack("<BBHHHHH", NEEDS_CSUM, GSO_TCPV4, 54, 1446, 34, 16, 0)
    with TapPort() as tap, rig_on(tap, "together") as rig, sniffer(tap) as peer:
        tap.set_offload(TUN_F_CSUM | TUN_F_TSO4)
        rig.start()
        rig.memory.write(BUFFERS[TX], header + packet)
        size = len(header + packet)
        cuts = [(BUFFERS[TX] + at, min(1500, size - at)) for at in range(0, size, 1500)]
        rig.drivers[TX].add(out=cuts)
        rig.drivers[TX].publish()
        rig.drivers[TX].kick()
        assert peer.recv(1 << 17) == packet
        rig.offer(128, 0x600)
        source = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        source.bind((tap.name, 0))
        source.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR (linux/if_packet.h)
        for n in range(3):
            source.send(header[:10] + packet)
            used = rig.reaped(RX, 40)
            assert len(used) == -(-size // 0x600)
            data = b"".join(rig.memory.read(rig.place(40 * n + at), used[at].len) for at in range(len(used)))
            assert data[HEADER:] == packet and data[10:12] == struct.pack("<H", len(used))
        source.close()
        until(rig.engine.idle)
        assert rig.status(RX).last_avail_idx == 120
