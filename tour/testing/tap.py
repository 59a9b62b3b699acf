"""A small tap and its far end, with nothing but ioctls: quick to import and exact about what it asks for."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
from types import TracebackType
from typing import Self

from tour.abi import layouts
from tour.abi.names import TunFlag, TunIoctl
from tour.net.file import FilePort
from tour.net.wired import PEER_LINK

ETHERTYPE = 0x88B5
"""IEEE 802 local experimental EtherType 1: nobody else's frames carry it."""
# linux/sockios.h and linux/if.h (all since Linux 2.2)
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFHWADDR = 0x8913, 0x8914, 0x8916, 0x891C, 0x8927
IFF_UP = 1


class FarEnd:
    """Where a device's frames come out: a packet socket on link ``link`` that sees and sends those of our EtherType."""

    fd: int

    def __init__(self, link: str) -> None:
        self.link = link
        self._far: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """What NET_SET_BACKEND wants."""
        return self.fd

    def close(self) -> None:
        """Drop our end."""
        if self._far:
            self._far.close()
        self._far = None

    @property
    def far(self) -> socket.socket:
        """A packet socket on the link: what it sends the device receives, and the other way round."""
        if self._far is None:
            self._far = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
            self._far.bind((self.link, ETHERTYPE))
        return self._far

    def frames(self, count: int, seconds: float = 2.0) -> list[bytes]:
        """Up to ``count`` frames of our EtherType that came out of the guest, waiting at most ``seconds`` each."""
        got: list[bytes] = []
        while len(got) < count and select.select([self.far], [], [], seconds)[0]:
            got.append(self.far.recv(65536))
        return got


class Wired(FarEnd):
    """The far end of another port: a tap in a bridge, a raw packet socket, a macvtap (``tour.net.wired``)."""

    def __init__(self, port: FilePort) -> None:
        super().__init__(PEER_LINK)
        self.port = port
        self.fd = port.fileno()

    def close(self) -> None:
        """Drop our end, then the port with its links."""
        super().close()
        self.port.close()


class Tap(FarEnd):
    """A tap (or layer-3 tun) that is up, and a packet socket that is its far end.

    ``up`` False leaves the link down, ``header`` False leaves IFF_VNET_HDR out, ``layer3`` makes a tun.
    """

    def __init__(self, *, up: bool = True, header: bool = True, layer3: bool = False) -> None:
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        flags = TunFlag.IFF_NO_PI | (TunFlag.IFF_TUN if layer3 else TunFlag.IFF_TAP)
        flags |= TunFlag.IFF_VNET_HDR if header else 0
        request = bytearray(layouts.pack_ifreq("", flags))
        fcntl.ioctl(self.fd, TunIoctl.TUNSETIFF.value, request, True)
        self.name = layouts.ifreq_name(bytes(request))
        if header:
            fcntl.ioctl(self.fd, TunIoctl.TUNSETVNETHDRSZ.value, struct.pack("=i", 12))
        super().__init__(self.name)
        if up:
            self.up()

    def close(self) -> None:
        """Drop our ends; the link goes with the last of them."""
        super().close()
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def up(self) -> None:
        """Set the link up."""
        answer = _interface(SIOCGIFFLAGS, self.name, b"")
        (flags,) = struct.unpack_from("=H", answer, 16)
        _interface(SIOCSIFFLAGS, self.name, struct.pack("=H", flags | IFF_UP))

    def address(self, ip: str) -> None:
        """Give the far end an IPv4 address in a /24, so that the kernel's own stack answers there."""
        mask = socket.inet_aton("255.255.255.0")
        for request, raw in ((SIOCSIFADDR, socket.inet_aton(ip)), (SIOCSIFNETMASK, mask)):
            _interface(request, self.name, struct.pack("=HH", socket.AF_INET, 0) + raw)


def _interface(request: int, name: str, payload: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        return fcntl.ioctl(control.fileno(), request, name.encode().ljust(16, b"\0") + payload.ljust(24, b"\0"))
