"""An independent witness at the tap: an AF_PACKET socket in our namespace, with the kernel's time stamps.

It is bound to the one interface and asks for no promiscuity. Frames are buffered from the moment it exists, so
one opened before a device is attached misses nothing. Source: packet(7), net/packet/af_packet.c.
"""

from __future__ import annotations

import errno
import socket
import struct
import time

from tour.net.frames import ETH_P_ARP, ETH_P_IP, GUEST_MAC, PEER_MAC
from tour.net.seen import SeenFrame
from tour.trace.frames import mac_bytes

ETH_P_ALL = 0x0003  # linux/if_ether.h
PACKET_OUTGOING = 4  # linux/if_packet.h: sent by our stack, so on its way into the guest
PACKET_STATISTICS = 6  # linux/if_packet.h
SOL_PACKET = 263  # linux/socket.h
SO_TIMESTAMPNS = 35  # asm-generic/socket.h, SO_TIMESTAMPNS_OLD: a struct timespec of two longs
_TIMESPEC = struct.Struct("@ll")
_STATISTICS = struct.Struct("II")
_QUEUE_BYTES = 8 << 20
_OURS = frozenset({mac_bytes(GUEST_MAC), mac_bytes(PEER_MAC)})
_TYPES = frozenset({ETH_P_ARP, ETH_P_IP})


class TapObserver:
    """Sees the frames of one interface that carry a MAC address of ours or are ARP or IPv4, in order.

    Raises OSError when the interface does not exist or raw sockets are not allowed.
    """

    def __init__(self, name: str) -> None:
        self._lost = 0
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE_BYTES)
            self._sock.setblocking(False)
            self._sock.bind((name, ETH_P_ALL))
            self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # takes back ENETDOWN of a link not yet up
        except OSError:
            self._sock.close()
            raise

    def __enter__(self) -> TapObserver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """The socket's descriptor: readable when ``poll`` may have something."""
        return self._sock.fileno()

    def poll(self) -> list[SeenFrame]:
        """The frames since the last call, oldest first; never blocks."""
        offset = time.time_ns() - time.monotonic_ns()
        found = []
        while (seen := self._next(offset)) is not None:
            if _ours(seen.frame):
                found.append(seen)
        return found

    def _next(self, offset: int) -> SeenFrame | None:
        while True:
            try:
                data, ancillary, _, address = self._sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # told once when the link goes down; nothing is lost by it
                    continue
                raise
            direction = "in" if address[2] == PACKET_OUTGOING else "out"
            return SeenFrame(direction, data, _stamp(ancillary) - offset)

    def lost(self) -> int:
        """How many frames the kernel had to drop because nobody polled, in all."""
        raw = self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        self._lost += _STATISTICS.unpack(raw)[1]  # the kernel's own count starts again at each reading
        return self._lost

    def close(self) -> None:
        """Stop looking; safe to call again."""
        self._sock.close()


def _ours(frame: bytes) -> bool:
    macs = {frame[:6], frame[6:12]}
    return bool(macs & _OURS) or int.from_bytes(frame[12:14], "big") in _TYPES


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, raw in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanos = _TIMESPEC.unpack_from(raw)
            return int(seconds) * 1_000_000_000 + int(nanos)
    return time.time_ns()
