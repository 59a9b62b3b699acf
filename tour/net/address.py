"""An address for a link of our own by ioctls (netdevice(7)): nothing to import, for a server that stays small."""

from __future__ import annotations

import fcntl
import socket
import struct

from tour.net.links import naming
from tour.trace.frames import ip_bytes, mac_bytes

# linux/sockios.h
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFHWADDR = 0x8913, 0x8914, 0x8916, 0x891C, 0x8924
IFF_UP = 0x1  # linux/if.h
ARPHRD_ETHER = 1  # linux/if_arp.h
# struct ifreq: a name of 16 bytes and a union of 24 (linux/if.h)
_ADDRESS = struct.Struct("=16sHH4s16x")
_FLAGS = struct.Struct("=16sH22x")
_HARDWARE = struct.Struct("=16sH6s16x")


def bring_up(name: str, ip: str = "", mac: str = "", prefix: int = 24) -> None:
    """Give link ``name`` the address ``mac`` and ``ip``/``prefix`` where told, and bring it up. Raises LinkError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        if mac:
            with naming(name, f"set address {mac}"):
                fcntl.ioctl(sock, SIOCSIFHWADDR, _HARDWARE.pack(name.encode(), ARPHRD_ETHER, mac_bytes(mac)))
        if ip:
            mask = struct.pack(">I", 0xFFFFFFFF << 32 - prefix & 0xFFFFFFFF)
            for request, value in ((SIOCSIFADDR, ip_bytes(ip)), (SIOCSIFNETMASK, mask)):
                with naming(name, f"add {ip}/{prefix}"):
                    fcntl.ioctl(sock, request, _ADDRESS.pack(name.encode(), socket.AF_INET, 0, value))
        with naming(name, "set up"):
            flags = _FLAGS.unpack(fcntl.ioctl(sock, SIOCGIFFLAGS, _FLAGS.pack(name.encode(), 0)))[1]
            fcntl.ioctl(sock, SIOCSIFFLAGS, _FLAGS.pack(name.encode(), flags | IFF_UP))
