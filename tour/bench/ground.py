"""What rows stand on: a tap whose frames go nowhere, one core for the device and one for the driver, frames to send."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tour.abi import native
from tour.net.links import open_links
from tour.net.port import require_own_network
from tour.net.tap import TapPort
from tour.trace.frames import ipv4
from tour.virtqueue.net_header import GSO_NONE, GSO_TCPV4, NEEDS_CSUM, NetHeader

QUEUE = 8192
"""Frames that wait at the tap at most."""
LOCAL_ETHERTYPE = b"\x88\xb5"  # IEEE 802 local experimental: the stack knows nobody who wants it
GUEST, PEER = bytes.fromhex("020000000001"), bytes.fromhex("0200000000fe")
SMALL = PEER + GUEST + LOCAL_ETHERTYPE + bytes(50)
"""64 bytes; with its checksum a frame of the smallest size there is."""
SIOCSIFTXQLEN = 0x8943  # linux/sockios.h
_IFREQ_INT = struct.Struct("16si20x")
PACKET_QDISC_BYPASS, SOL_PACKET = 20, 263  # linux/if_packet.h


def own_tap(name: str = "tap0") -> TapPort:
    """A tap, up, with a long queue and no address: what is written into it is received and dropped by the stack.

    Raises CapabilityMissing("tun").
    """
    require_own_network()
    tap = TapPort(name=name)
    try:
        open_links().set_up(name)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCSIFTXQLEN, _IFREQ_INT.pack(name.encode(), QUEUE))
    except BaseException:
        tap.close()
        raise
    return tap


class Source:
    """Fills a tap's queue: a packet socket on its link that passes by the queueing discipline."""

    def __init__(self, name: str) -> None:
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.bind((name, 0))
        self.sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.frame = native.view(bytearray(SMALL), True)

    def fill(self, count: int) -> int:
        """Send ``count`` small frames; returns how many the link took. Raises OSError."""
        sent = native.lib().vt_loop_fill(self.sock.fileno(), self.frame, len(SMALL), count)
        if sent < 0:
            raise OSError(-sent, f"sendmmsg: {os.strerror(-sent)}")
        return int(sent)


def tcp_frame(size: int) -> bytes:
    """A TCP segment to somebody else in an Ethernet frame of ``size`` bytes: the stack drops it by its address."""
    payload = bytes(size - 14 - 20 - 20)
    tcp = struct.pack(">HHIIBBHHH", 4000, 4001, 1, 1, 5 << 4, 0x10, 0xFFFF, 0, 0)
    return PEER + GUEST + b"\x08\x00" + ipv4("10.9.0.1", "10.9.0.2", 6, tcp + payload)


def header(size: int, mtu: int = 1500) -> bytes:
    """The virtio_net_hdr of :func:`tcp_frame`: checksum to be filled in, cut into segments where it is larger."""
    large = size > mtu + 14
    gso = (GSO_TCPV4, 54, mtu - 40) if large else (GSO_NONE, 0, 0)
    return NetHeader(NEEDS_CSUM, gso[0], gso[1], gso[2], 34, 16).pack()


def cores() -> tuple[int, int]:
    """The core for a device and the core for a driver; the same one where there is no other."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on that core; threads made meanwhile stay there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Cpu:
    """Processor time of this process, all its threads, for each packet."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def measure(self, side: str, act: Callable[[], tuple[float, float]]) -> float:
        """Run ``act``, which returns (packets, seconds); keeps the CPU time of each packet. Returns packets/s."""
        before = time.process_time()
        packets, seconds = act()
        self.spent.setdefault(side, []).append((time.process_time() - before) / packets * 1e9)
        return packets / seconds

    def told(self) -> dict[str, float]:
        """``SIDE_cpu_ns``: the median of each side."""
        return {f"{side}_cpu_ns": round(sorted(ns)[len(ns) // 2], 1) for side, ns in self.spent.items()}


class Loop:
    """A bare loop of ours; its figures are (frames, seconds)."""

    def __init__(self) -> None:
        self.told = native.struct("vt_loop")

    def run(self, act: Callable[[Any], int]) -> tuple[float, float]:
        """``act`` is given where the loop tells what it did. Raises OSError."""
        result = act(self.told)
        if result < 0:
            raise OSError(-result, f"bare loop: {os.strerror(-result)}")
        return float(self.told.frames), float(self.told.ns) / 1e9
