"""Links of our own namespace: typed calls, and errors that name the link.

Two implementations: pyroute2 (importing it takes a quarter of a second, emulated four), and an ``ip`` program
(iproute2's or BusyBox's) where ``VHOST_TOUR_IP`` names one, as in the lab. Only ever used on links that we made.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tour.abi import libc
from tour.errors import TourError
from tour.net.frames import PREFIX
from tour.trace.frames import ip_bytes, mac_bytes

IP_ENV = "VHOST_TOUR_IP"
SIOCSARP, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFTXQLEN = 0x8955, 0x8913, 0x8914, 0x8943  # linux/sockios.h
IFF_NOARP = 0x80  # linux/if.h
ATF_COM, ATF_PERM = 0x02, 0x04  # linux/if_arp.h: complete, permanent
ARPHRD_ETHER = 1
# struct ifreq with ifr_flags (linux/if.h)
_IFREQ_FLAGS = struct.Struct("@16sH22x")
# struct ifreq with ifr_qlen
_IFREQ_QLEN = struct.Struct("@16si20x")
# struct arpreq: two struct sockaddr of 16 bytes, flags, a netmask, a device name (linux/if_arp.h)
_ARPREQ = struct.Struct("@HH4s8xH6s8xi16s16s")


class LinkError(TourError):
    """The kernel refused a change of a link."""


@dataclass(frozen=True)
class LinkCounters:
    """A link's counters as its own side sees them: a tap's rx is what the guest sent."""

    rx_bytes: int
    rx_packets: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_dropped: int


class Links(ABC):
    """What the agent asks of links. Every method raises LinkError."""

    @abstractmethod
    def set_mac(self, name: str, mac: str) -> None:
        """Give link ``name`` the address ``mac``."""

    @abstractmethod
    def add_address(self, name: str, ip: str, prefix: int = PREFIX) -> None:
        """Give link ``name`` the IPv4 address ``ip``/``prefix``."""

    @abstractmethod
    def set_up(self, name: str) -> None:
        """Bring link ``name`` up."""

    @abstractmethod
    def add_pair(self, name: str, peer: str) -> None:
        """Make a veth pair: what enters one end leaves the other."""

    @abstractmethod
    def add_bridge(self, name: str) -> None:
        """Make a bridge that says nothing of its own: no multicast snooping, no spanning tree."""

    def mute_arp(self, name: str) -> None:
        """Let link ``name`` answer no ARP request: else Linux answers on every link for every address it has."""
        with naming(name, "set arp off"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            answer = fcntl.ioctl(sock, SIOCGIFFLAGS, _IFREQ_FLAGS.pack(name.encode(), 0))
            flags = _IFREQ_FLAGS.unpack(answer)[1] | IFF_NOARP
            fcntl.ioctl(sock, SIOCSIFFLAGS, _IFREQ_FLAGS.pack(name.encode(), flags))

    def set_queue_length(self, name: str, frames: int) -> None:
        """How many frames may wait in link ``name`` to be sent; a tap's queue towards its descriptor is made anew with
        that room [tun_device_event(), drivers/net/tun.c@6.1]. SIOCSIFTXQLEN wants CAP_NET_ADMIN in the first user
        namespace [dev_ioctl(), net/core/dev_ioctl.c@6.1]; netlink does not."""
        request = _IFREQ_QLEN.pack(name.encode(), frames)
        with naming(name, f"set txqueuelen {frames}"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCSIFTXQLEN, request)

    def finish_checksums(self, name: str) -> None:
        """Let link ``name`` be one without offloads: what it sends is finished before, checksums and segments alike.

        Linux takes segmentation from a link together with its checksums [netdev_fix_features(), net/core/dev.c@6.1].
        """
        with naming(name, "set tx-checksumming off"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            libc.ethtool_set(sock.fileno(), name, libc.ETHTOOL_STXCSUM, 0)

    @abstractmethod
    def add_macvtap(self, name: str, lower: str) -> None:
        """Make a macvtap on top of link ``lower``, in mode vepa: all it sends leaves through ``lower``."""

    @abstractmethod
    def join(self, name: str, bridge: str) -> None:
        """Make link ``name`` a port of ``bridge``."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete link ``name``, and with it its pair's other end."""

    def set_neighbour(self, name: str, ip: str, mac: str) -> None:
        """Tell the stack for good who ``ip`` is, so that it never sends an ARP request of its own.

        SIOCSARP (arp(7)), because BusyBox's ``ip`` cannot do it.
        """
        request = _ARPREQ.pack(
            socket.AF_INET, 0, ip_bytes(ip), ARPHRD_ETHER, mac_bytes(mac), ATF_COM | ATF_PERM, b"", name.encode()
        )
        with naming(name, f"set neighbour {ip}"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCSARP, request)

    def make_peer(self, name: str, mac: str, ip: str, guest: tuple[str, str]) -> None:
        """Make link ``name`` the peer's interface, up, with ``guest`` (IP, MAC) as its only known neighbour."""
        self.set_mac(name, mac)
        self.add_address(name, ip)
        self.set_up(name)
        self.set_neighbour(name, *guest)

    def counters(self, name: str) -> LinkCounters:
        """The counters of link ``name``, from /proc/net/dev: that is always our own namespace's."""
        return read_counters(name)


class PyrouteLinks(Links):
    """Links through netlink."""

    def set_mac(self, name: str, mac: str) -> None:
        """RTM_NEWLINK with IFLA_ADDRESS."""
        with self._route(name, f"set address {mac}") as (route, index):
            route.link("set", index=index, address=mac)

    def add_address(self, name: str, ip: str, prefix: int = PREFIX) -> None:
        """RTM_NEWADDR."""
        with self._route(name, f"add {ip}/{prefix}") as (route, index):
            route.addr("add", index=index, address=ip, prefixlen=prefix)

    def set_up(self, name: str) -> None:
        """RTM_NEWLINK with IFF_UP."""
        with self._route(name, "set up") as (route, index):
            route.link("set", index=index, state="up")

    def add_pair(self, name: str, peer: str) -> None:
        """RTM_NEWLINK of kind veth."""
        with self._netlink(name, "add veth") as route:
            route.link("add", ifname=name, kind="veth", peer=peer)

    def add_bridge(self, name: str) -> None:
        """RTM_NEWLINK of kind bridge with IFLA_BR_MCAST_SNOOPING and IFLA_BR_STP_STATE 0."""
        with self._netlink(name, "add bridge") as route:
            route.link("add", ifname=name, kind="bridge", br_mcast_snooping=0, br_stp_state=0)

    def add_macvtap(self, name: str, lower: str) -> None:
        """RTM_NEWLINK of kind macvtap with IFLA_LINK."""
        with self._netlink(name, "add macvtap") as route:
            route.link("add", ifname=name, kind="macvtap", link=socket.if_nametoindex(lower))

    def join(self, name: str, bridge: str) -> None:
        """RTM_NEWLINK with IFLA_MASTER."""
        with self._route(name, f"join {bridge}") as (route, index):
            route.link("set", index=index, master=socket.if_nametoindex(bridge))

    def remove(self, name: str) -> None:
        """RTM_DELLINK."""
        with self._route(name, "delete") as (route, index):
            route.link("del", index=index)

    def set_queue_length(self, name: str, frames: int) -> None:
        """RTM_NEWLINK with IFLA_TXQLEN."""
        with self._route(name, f"set txqueuelen {frames}") as (route, index):
            route.link("set", index=index, txqlen=frames)

    @contextmanager
    def _route(self, name: str, what: str) -> Iterator[tuple[Any, int]]:
        with self._netlink(name, what) as route:
            yield route, socket.if_nametoindex(name)

    @contextmanager
    def _netlink(self, name: str, what: str) -> Iterator[Any]:
        IPRoute, NetlinkError = _pyroute2()
        with naming(name, what):
            try:
                with IPRoute() as route:
                    yield route
            except NetlinkError as error:
                raise OSError(error.code, os.strerror(error.code)) from error


def _pyroute2() -> tuple[Any, Any]:
    """The two classes we need; imported when first used, because that takes long."""
    try:
        from pyroute2 import IPRoute  # type: ignore[import-untyped]
        from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]
    except ImportError as error:
        fix = f"pip install pyroute2, or set {IP_ENV}=/path/to/ip"
        raise LinkError("No link can be set up: pyroute2 could not be imported.", str(error), fix) from error
    return IPRoute, NetlinkError


class IpProgram(Links):
    """Links through an ``ip`` program at ``path``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def set_mac(self, name: str, mac: str) -> None:
        """``ip link set NAME address MAC``."""
        self._run(name, "link", "set", "dev", name, "address", mac)

    def add_address(self, name: str, ip: str, prefix: int = PREFIX) -> None:
        """``ip address add IP/PREFIX dev NAME``."""
        self._run(name, "address", "add", f"{ip}/{prefix}", "dev", name)

    def set_up(self, name: str) -> None:
        """``ip link set NAME up``."""
        self._run(name, "link", "set", "dev", name, "up")

    def add_pair(self, name: str, peer: str) -> None:
        """``ip link add NAME type veth peer name PEER``. BusyBox ignores what follows ``veth``: renamed then."""
        before = _names()
        self._run(name, "link", "add", "name", name, "type", "veth", "peer", "name", peer)
        for other in _names() - before - {name, peer}:
            self._run(peer, "link", "set", "dev", other, "name", peer)

    def add_bridge(self, name: str) -> None:
        """``ip link add NAME type bridge``. BusyBox ignores the options, so they are set in /sys as well."""
        options = ("mcast_snooping", "0", "stp_state", "0")
        self._run(name, "link", "add", "name", name, "type", "bridge", *options)
        with naming(name, "set multicast_snooping 0"), own_sysfs() as sys:
            (sys / "class/net" / name / "bridge/multicast_snooping").write_text("0")

    def add_macvtap(self, name: str, lower: str) -> None:
        """``ip link add link LOWER name NAME type macvtap``."""
        self._run(name, "link", "add", "link", lower, "name", name, "type", "macvtap")

    def join(self, name: str, bridge: str) -> None:
        """``ip link set NAME master BRIDGE``."""
        self._run(name, "link", "set", "dev", name, "master", bridge)

    def remove(self, name: str) -> None:
        """``ip link del NAME``."""
        self._run(name, "link", "del", "dev", name)

    def _run(self, name: str, *words: str) -> None:
        try:
            done = subprocess.run([self.path, *words], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LinkError(f"Link {name}: '{self.path}' could not be run.", str(error)) from error
        if done.returncode:
            raise LinkError(f"Link {name}: 'ip {' '.join(words)}' failed.", done.stderr.strip())


def open_links() -> Links:
    """The ``ip`` program that ``VHOST_TOUR_IP`` names, else pyroute2."""
    path = os.environ.get(IP_ENV)
    return IpProgram(path) if path else PyrouteLinks()


def _names() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


@contextmanager
def own_sysfs() -> Iterator[Path]:
    """A sysfs of this process's network namespace: /sys shows that of whoever mounted it. Gone afterwards.

    Wants mounts of our own, or a machine of our own. Raises OSError.
    """
    with tempfile.TemporaryDirectory(prefix="tour-sys-") as folder:
        libc.mount("sysfs", folder, "sysfs", libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC)
        try:
            yield Path(folder)
        finally:
            libc.umount(folder, 0)


@contextmanager
def naming(name: str, what: str) -> Iterator[None]:
    """Turn an OSError inside into a LinkError that names the link and the change."""
    try:
        yield
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "?")
        raise LinkError(f"Link {name}: {what} says {code}.", error.strerror or "") from error


def read_counters(name: str, path: str = "/proc/net/dev") -> LinkCounters:
    """The counters of link ``name`` in our network namespace. Raises LinkError when there is no such link."""
    with naming(name, "read counters"), open(path) as file:
        lines = file.read().splitlines()
    for line in lines[2:]:
        link, _, numbers = line.partition(":")
        if link.strip() == name:
            n = [int(word) for word in numbers.split()]
            return LinkCounters(n[0], n[1], n[3], n[8], n[9], n[11])
    raise LinkError(f"Link {name}: there is no such link.")
