"""Packet I/O for Python: real frames through a tap and its network stack, and nothing left behind."""

from __future__ import annotations

import array
import os
import socket
from contextlib import closing

from tests.support import in_own_network
from tour.device.contract import VhostDevice
from tour.device.embedded import EmbeddedDevice
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request, parse_arp
from tour.net.port import open_port
from tour.scene.packets import PacketIO

FRAME = bytes.fromhex("020000000002") + bytes.fromhex("020000000001") + b"\x88\xb5" + bytes(50)


def device(gear: str) -> VhostDevice:
    return EmbeddedDevice(gear=gear) if gear == "engine" else EmbeddedDevice()


def talk(gear: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with closing(open_port(choice="tap")) as port, device(gear) as made, PacketIO(made, port) as packets:
        request = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
        assert packets.send(request, len(request)) == 1
        lengths, into = array.array("I", [0] * 8), bytearray(4096)
        replies: list[bytes] = []
        while not replies and packets.wait_received(5):
            at = 0
            for length in lengths[: packets.recv(into, lengths)]:
                replies.append(bytes(into[at : at + length]))
                at += length
        assert parse_arp(replies[0]).spa == PEER_IP and not packets.wait_received(0)
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5))
        listening.bind((port.name, 0x88B5))
        listening.settimeout(5)
        assert packets.send(FRAME * 100, 64) == 100
        assert packets.wait_sent(100, 5) and packets.tx.reap() >= 100
        assert [listening.recv(2048) for _ in range(100)] == [FRAME] * 100
        listening.close()
        counts = packets.tx.counts()
        assert counts["packets"] == 101 and counts["kicks"] <= 5
    assert len(os.listdir("/proc/self/fd")) == before


@in_own_network
def test_through_a_tap_with_the_python_device() -> None:
    talk("python")
