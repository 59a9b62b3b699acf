"""Packet I/O for Python: real frames through a tap and its network stack, and nothing left behind."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
from contextlib import closing
from pathlib import Path

from tests.device.vhost_user.conftest import Serving
from tests.support import in_own_network, require
from tour.device.contract import VhostDevice
from tour.device.embedded import EmbeddedDevice
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request, parse_arp
from tour.net.links import open_links
from tour.net.null import NullPort
from tour.net.port import open_port
from tour.net.tap import TapPort
from tour.scene.packets import PacketIO
from tour.scene.ports import SocketpairPorts

SIOCSIFMTU = 0x8922  # linux/sockios.h
FRAME = bytes.fromhex("020000000002") + bytes.fromhex("020000000001") + b"\x88\xb5" + bytes(50)


def device(gear: str) -> VhostDevice:
    return EmbeddedDevice(gear="engine") if gear == "engine" else EmbeddedDevice()


def set_mtu(sock: socket.socket, name: str, mtu: int) -> None:
    fcntl.ioctl(sock, SIOCSIFMTU, struct.pack("16si20x", name.encode(), mtu))


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


@in_own_network
def test_through_a_tap_with_the_engine() -> None:
    talk("engine")


@in_own_network
def test_64_kib_go_out_in_one_chain_and_come_back_in_many_buffers() -> None:
    """A frame larger than a buffer: chained slots or an indirect table out, MRG_RXBUF in."""
    with closing(open_port(choice="tap")) as port, device("engine") as made, PacketIO(made, port) as packets:
        frame = FRAME + bytes(range(256)) * 250
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5))
        sock.bind((port.name, 0x88B5))
        set_mtu(sock, port.name, 65521)
        sock.send(frame)
        into, lengths = bytearray(1 << 17), array.array("I", [0] * 4)
        assert packets.wait_received(5)
        assert packets.recv(into, lengths) == 1 and bytes(into[: lengths[0]]) == frame
        assert packets.rx.counts()["chains"] > 256 + 30
        assert packets.send(frame, len(frame)) == 1
        sock.settimeout(5)
        assert sock.recv(1 << 17) == frame
        sock.close()


def test_through_a_vhost_user_back_end_of_ours(tmp_path: Path) -> None:
    require("embedded")
    port = NullPort()
    serving = Serving(tmp_path / "net.sock", SocketpairPorts(1), "engine")
    with closing(port), closing(serving), VhostUserDevice(str(serving.path)) as made, PacketIO(made, port) as packets:
        request = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
        assert packets.send(request, len(request)) == 1 and packets.wait_received(5)
        lengths, into = array.array("I", [0] * 4), bytearray(4096)
        assert packets.recv(into, lengths) == 1 and parse_arp(bytes(into[: lengths[0]])).spa == PEER_IP
        assert packets.send(FRAME * 100, 64) == 100 and packets.wait_sent(100, 5)


@in_own_network
def test_a_stop_lets_go_of_the_tap_at_once() -> None:
    """The engine has the tap's file registered with io_uring; a tap of one queue can be opened by one only."""
    made = device("engine")
    for _ in range(2):
        with TapPort(name="tap7") as tap:
            open_links().set_up(tap.name)
            packets = PacketIO(made, tap)
            assert packets.send(FRAME * 100, 64) == 100 and packets.wait_sent(100, 5)
            packets.close()
        assert "tap7" not in Path("/proc/net/dev").read_text()
        made.reset_owner()
    made.close()
