"""What a device has besides its ring, as it is handed to a student: a port with a peer behind it, and the dirty log."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from select import select
from typing import Any

from tour.judge.ops import BUFFER_MAX, Handle, Refused, integer
from tour.net.frames import BROADCAST, GUEST_MAC, NET_HDR_LEN, ethernet
from tour.net.socketpair import SocketpairPort

ETH_HLEN = 14
ETH_P_LOCAL = 0x88B5
"""IEEE 802's EtherType for local experiments: what we send to see that the peer has seen all before it."""
PEER_SECONDS = 10.0


class Wire:
    """A port and its peer, in step: after ``send`` the peer has seen the frame, and its answer is here.

    ``seen`` are the frames that reached the peer, in order; ``waiting`` the packets for the guest, header first.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._port = stack.enter_context(SocketpairPort())
        self._observer = self._port.observe()
        stack.callback(self._observer.close)
        self.seen: list[bytes] = []
        self.waiting: deque[bytes] = deque()
        self._sent = 0

    def send(self, packet: bytes) -> None:
        """A packet of the guest, virtio_net_hdr first. Raises ValueError for one without a whole Ethernet header."""
        if len(packet) < NET_HDR_LEN + ETH_HLEN:
            raise ValueError(f"{len(packet)} bytes are no packet: {NET_HDR_LEN} of header and an Ethernet frame")
        self._port.write(packet)
        self._settle()

    def _settle(self) -> None:
        """Wait until the peer has seen a frame of ours behind all others. Raises TimeoutError."""
        self._sent += 1
        mark = ethernet(BROADCAST, GUEST_MAC, ETH_P_LOCAL, self._sent.to_bytes(46, "big"))
        self._port.write(bytes(NET_HDR_LEN) + mark)
        while True:
            if not select([self._observer], [], [], PEER_SECONDS)[0]:
                raise TimeoutError("the peer does not answer")
            out = [shown.frame for shown in self._observer.poll() if shown.direction == "out"]
            self.seen += [frame for frame in out if frame != mark]
            if mark in out:
                break
        while (packet := self._port.read()) is not None:
            self.waiting.append(packet)


class PortHandle(Handle):
    """The backend socket, as a tap with IFF_VNET_HDR is one: ``send`` a packet, ``peek`` at the size of the next one
    for the guest (0: none), ``receive`` it (None: none). A packet is 12 bytes of header and the frame."""

    kind = "port"
    methods = {"send": ("bytes",), "peek": (), "receive": ()}

    def __init__(self, name: str, wire: Wire) -> None:
        super().__init__(name)
        self.wire = wire

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        if method == "send":
            return self._send(*args)
        if method == "peek":
            return len(self.wire.waiting[0]) if self.wire.waiting else 0
        return self.wire.waiting.popleft() if self.wire.waiting else None

    def _send(self, packet: bytes) -> int:
        try:
            self.wire.send(packet)
        except ValueError as error:
            raise Refused("ValueError", str(error)) from error
        return len(packet)


class LogHandle(Handle):
    """A dirty log of ``size`` bytes. ``load`` and ``store`` are two steps, between which others may set bits;
    ``set_bits`` and ``take`` (which leaves 0) are one step each."""

    kind = "dirty log"
    methods = {"load": ("at",), "store": ("at", "bits"), "set_bits": ("at", "bits"), "take": ("at",)}

    def __init__(self, name: str, size: int) -> None:
        super().__init__(name)
        self.bits = bytearray(size)

    def facts(self) -> dict[str, int]:
        """How many bytes it has."""
        return {"size": len(self.bits)}

    def check(self, what: str, value: Any) -> int:
        """See ``Handle``; ``at`` is a byte of the log."""
        if what == "bits":
            return integer(255)(value)
        at = integer(BUFFER_MAX)(value)
        if at >= len(self.bits):
            raise Refused("IndexError", f"byte {at} of a log of {len(self.bits)}")
        return at

    def perform(self, method: str, args: Sequence[Any]) -> int | None:
        """See ``Handle``."""
        at, before = args[0], self.bits[args[0]]
        if method == "store":
            self.bits[at] = args[1]
        elif method == "set_bits":
            self.bits[at] |= args[1]
        elif method == "take":
            self.bits[at] = 0
        return before if method in ("load", "take") else None

    def pages(self) -> set[int]:
        """The numbers of the marked pages."""
        return {page for page in range(8 * len(self.bits)) if self.bits[page // 8] >> page % 8 & 1}
