"""Ports that are not one tap with its peer behind it: a tap in a bridge, a raw packet socket, a macvtap.

Behind each lies a veth pair whose far end ``PEER_LINK`` is the peer's interface. Observed is what a guest's
frame passes outside of the port itself. All links are removed with the port.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from pathlib import Path

from tour.abi import libc
from tour.abi.names import TunIoctl
from tour.errors import CapabilityMissing
from tour.net.file import FilePort
from tour.net.frames import GUEST_IP, GUEST_MAC, NET_HDR_LEN, PEER_IP, PEER_MAC
from tour.net.links import LinkError, Links, open_links, own_sysfs
from tour.net.observer import ETH_P_ALL
from tour.net.tap import TapPort
from tour.trace.events import Note
from tour.trace.recorder import Recorder

NEAR_LINK, PEER_LINK, BRIDGE, MACVTAP = "near0", "peer0", "br0", "macvtap0"
LAB = "tour start 7 --lab"


class Wires:
    """Links that were made one after the other, each told; ``remove`` takes the latest down first."""

    def __init__(self, recorder: Recorder | None, links: Links | None = None) -> None:
        self.links = links or open_links()
        self._recorder = recorder
        self._made: list[str] = []

    def pair(self) -> None:
        """The veth pair, both ends up, the far one with the peer's addresses."""
        self.links.add_pair(NEAR_LINK, PEER_LINK)
        self.made(NEAR_LINK, f"ip link add {NEAR_LINK} type veth peer name {PEER_LINK}")
        self.links.set_up(NEAR_LINK)
        self.links.make_peer(PEER_LINK, PEER_MAC, PEER_IP, guest=(GUEST_IP, GUEST_MAC))

    def made(self, name: str, command: str) -> None:
        """Remember link ``name``, and tell how an ``ip`` program would have made it."""
        self._made.append(name)
        if self._recorder:
            self._recorder.emit(Note("view.say.link_made", {"name": name, "command": command}), actor="control")

    def remove(self) -> None:
        """Take all down; one that is gone already is no matter."""
        while self._made:
            try:
                self.links.remove(self._made.pop())
            except LinkError:
                continue


def _why(error: LinkError | OSError) -> str:
    """What the kernel said, for the error that says what cannot be had."""
    return f"{error.what} {error.why}".strip() if isinstance(error, LinkError) else str(error)


class BridgedTap(TapPort):
    """A tap that is a port of a bridge; the peer is behind the bridge's other port."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        super().__init__(recorder)
        self._wires = Wires(recorder)
        try:
            self._wire()
        except LinkError as error:
            self.close()
            raise CapabilityMissing("links", "No bridge can be made on this machine.", _why(error), LAB) from error

    def _wire(self) -> None:
        links = self._wires.links
        links.add_bridge(BRIDGE)
        self._wires.made(BRIDGE, f"ip link add {BRIDGE} type bridge mcast_snooping 0; ip link set {BRIDGE} arp off")
        links.mute_arp(BRIDGE)
        self._wires.pair()
        for name in (self.name, NEAR_LINK):
            links.join(name, BRIDGE)
        for name in (BRIDGE, self.name):
            links.set_up(name)

    def close(self) -> None:
        """The tap goes with its descriptor, then bridge and pair."""
        super().close()
        self._wires.remove()


class PacketPort(FilePort):
    """A raw packet socket on one end of a veth pair: whole frames, no virtio_net_hdr in front."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        super().__init__(recorder, NEAR_LINK, watched=PEER_LINK)
        self._wires = Wires(recorder)
        try:
            self._wires.pair()
            self._fd = self._socket()
        except (LinkError, OSError) as error:
            self.close()
            what = "No raw packet socket on a link of its own can be had on this machine."
            raise CapabilityMissing("links", what, _why(error), LAB) from error

    def _socket(self) -> int:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
        self._say("socket", ["AF_PACKET", "SOCK_RAW|SOCK_CLOEXEC|SOCK_NONBLOCK", "0"], made.fileno())
        with made:
            made.bind((self.name, ETH_P_ALL))
            self._say("bind", [str(made.fileno()), f'{{AF_PACKET, ETH_P_ALL, "{self.name}"}}'], 0)
            return made.detach()

    def close(self) -> None:
        """The socket, then the pair."""
        super().close()
        self._wires.remove()


class MacvtapPort(FilePort):
    """A macvtap on one end of a veth pair, opened through a device node of our own, with a 12-byte header.

    Its node /dev/tapN belongs to root, and only root may make another: as an ordinary user CapabilityMissing.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        super().__init__(recorder, MACVTAP, watched=PEER_LINK)
        self._wires = Wires(recorder)
        try:
            self._wire()
            self._fd = self._open_node()
            size = NET_HDR_LEN.to_bytes(4, "little")
            self._ioctl(TunIoctl.TUNSETVNETHDRSZ, "TUNSETVNETHDRSZ", size, f"[{NET_HDR_LEN}]")
        except (LinkError, OSError) as error:
            self.close()
            raise CapabilityMissing("links", "No macvtap can be opened on this machine.", _why(error), LAB) from error

    def _wire(self) -> None:
        self._wires.pair()
        self._wires.links.add_macvtap(MACVTAP, NEAR_LINK)
        self._wires.made(MACVTAP, f"ip link add link {NEAR_LINK} name {MACVTAP} type macvtap")
        self._wires.links.set_mac(MACVTAP, GUEST_MAC)
        self._wires.links.set_up(MACVTAP)

    def _open_node(self) -> int:
        """The node's number is known to sysfs only; the node itself lives in a tmpfs of its own."""
        number = _node_number(self.name)
        shown = f"/dev/tap{socket.if_nametoindex(self.name)}"
        with tempfile.TemporaryDirectory(prefix="tour-dev-") as folder:
            libc.mount("tmpfs", folder, "tmpfs", libc.MS_NOSUID | libc.MS_NOEXEC, "mode=700,size=64k")
            try:
                path = f"{folder}/tap"
                os.mknod(path, 0o20600, number)
                return self._open(path, shown)
            finally:
                libc.umount(folder)

    def close(self) -> None:
        """The descriptor, then macvtap and pair."""
        super().close()
        self._wires.remove()


def _node_number(name: str) -> int:
    """Major and minor number of a macvtap's character device. Raises OSError."""
    with own_sysfs() as sys:
        found = list((sys / "class/net" / name).glob("tap*/dev")) + list(_by_class(sys, name))
        if not found:
            raise OSError(errno.ENXIO, f"link {name} has no device node")
        major, minor = found[0].read_text().split(":")
    return os.makedev(int(major), int(minor))


def _by_class(sys: Path, name: str) -> list[Path]:
    """Where the class folder, not the link's, holds it."""
    return list((sys / "class/macvtap").glob(f"tap{socket.if_nametoindex(name)}/dev"))
