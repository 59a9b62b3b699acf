"""The port: what a device sends frames to and receives them from. A tap where there can be one.

Every frame at a port carries a virtio_net_hdr of 12 bytes in front (virtio v1.3 5.1.6), as vhost-net wants its
backend socket. Its file descriptor is what NET_SET_BACKEND gives a ring.
"""

from __future__ import annotations

import os
from typing import Literal, Protocol

from tour.abi.libc import LAYERS_ENV
from tour.abi.namespaces import namespace_fix
from tour.errors import CapabilityMissing
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC
from tour.net.links import open_links
from tour.net.seen import SeenFrame
from tour.net.socketpair import SocketpairPort
from tour.net.tap import TapPort
from tour.net.wired import BridgedTap, MacvtapPort, PacketPort
from tour.trace.events import Peer
from tour.trace.recorder import Recorder

Choice = Literal["auto", "tap", "socketpair"]
Wired = Literal["bridge", "packet", "macvtap"]


class Observer(Protocol):
    """Sees every frame that passes a port from its opening on, in order."""

    def fileno(self) -> int:
        """A descriptor that is readable when ``poll`` has something."""

    def poll(self) -> list[SeenFrame]:
        """The frames since the last call; never blocks."""

    def lost(self) -> int:
        """How many frames were missed in all."""

    def close(self) -> None:
        """Stop looking."""


class Port(Protocol):
    """One end of a network. ``real`` says whether the other end is a real network stack."""

    name: str
    real: bool
    why: str

    def fileno(self) -> int:
        """The descriptor a device reads and writes, non-blocking: one frame with its header a time."""

    def read(self) -> bytes | None:
        """The next frame for the guest, header first; None when there is none."""

    def write(self, data: bytes) -> int:
        """Send a frame of the guest, header first; returns the bytes taken. Raises OSError."""

    def pending(self) -> bool:
        """Whether a frame for the guest waits."""

    def observe(self) -> Observer:
        """A fresh observer of this port."""

    def close(self) -> None:
        """Take the port down; safe to call again."""


def open_port(recorder: Recorder | None = None, choice: Choice = "auto") -> Port:
    """A port with a peer at ``PEER_IP`` behind it: a tap, else a socketpair whose ``why`` says why not a tap.

    ``tap`` raises CapabilityMissing("tun") instead of falling back; a tap is made only where ``VHOST_TOUR_LAYERS``
    says that the network namespace is our own (``net``, or ``vm`` in the lab's throwaway machine).
    """
    port: Port
    why = ""
    if choice != "socketpair":
        try:
            port = _open_tap(recorder)
        except CapabilityMissing as error:
            if choice == "tap":
                raise
            why = str(error)
        else:
            _announce(port, recorder)
            return port
    port = SocketpairPort(recorder, why=why)
    _announce(port, recorder)
    return port


def open_wired(kind: Wired, recorder: Recorder | None = None) -> Port:
    """A port that reaches the same peer another way: a tap in a bridge, a raw packet socket, a macvtap.

    Raises CapabilityMissing: "tun" where the network is not our own, "links" where such a link cannot be had.
    """
    require_own_network()
    port: Port = {"bridge": BridgedTap, "packet": PacketPort, "macvtap": MacvtapPort}[kind](recorder)
    _announce(port, recorder)
    return port


def _open_tap(recorder: Recorder | None) -> TapPort:
    require_own_network()
    tap = TapPort(recorder)
    try:
        open_links().make_peer(tap.name, PEER_MAC, PEER_IP, guest=(GUEST_IP, GUEST_MAC))
    except BaseException:
        tap.close()
        raise
    return tap


def require_own_network() -> None:
    """Raise CapabilityMissing("tun") unless this process's network namespace is our own to change."""
    layers = os.environ.get(LAYERS_ENV)
    if not {"net", "vm"} & set((layers or "").split(",")):
        started_by_tour = layers is not None
        raise CapabilityMissing(
            "tun", "No tap was made: this process has no network namespace of its own.",
            "Links are never made in the system's network.",
            namespace_fix() if started_by_tour else "start it through 'tour', which makes one",
        )  # fmt: skip


def _announce(port: Port, recorder: Recorder | None) -> None:
    if recorder:
        peer = Peer(port.name, PEER_MAC, PEER_IP, GUEST_MAC, GUEST_IP, port.real)
        recorder.emit(peer, actor="network")
