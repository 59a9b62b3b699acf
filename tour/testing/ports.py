"""Behaviour: ports that are no plain tap, and who supplies the header each frame has in the ring."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from tour.abi.names import Feature
from tour.device.contract import RX, TX
from tour.net.frames import GUEST_MAC, PEER_MAC
from tour.net.wired import BridgedTap, MacvtapPort, PacketPort
from tour.testing.bench import FEATURES, Bench
from tour.testing.case import Suite, outcome
from tour.testing.guest import PLAIN, Guest, frame
from tour.testing.tap import FarEnd
from tour.trace.frames import mac_bytes

SUITE = Suite("behaviour")
SUPPLIES = Feature.VHOST_NET_F_VIRTIO_NET_HDR.mask
SOL_PACKET, PACKET_VNET_HDR = 263, 15  # linux/socket.h, linux/if_packet.h
ANSWER = mac_bytes(GUEST_MAC) + mac_bytes(PEER_MAC) + frame(2)[12:]
"""A frame to the guest alone: a macvtap takes no frame that seems to come from itself."""
Make = Callable[[Bench], FarEnd]


def _with_header(bench: Bench) -> FarEnd:
    """A packet socket that carries the 10-byte virtio_net_hdr."""
    far = bench.wired(PacketPort)
    with socket.socket(fileno=far.fd) as near:
        near.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        near.detach()
    return far


_PORTS: dict[str, Make] = {
    "a tap": lambda bench: bench.tap(),
    "a tap without vnet header": lambda bench: bench.tap(header=False),
    "a tap in a bridge": lambda bench: bench.wired(BridgedTap),
    "a raw packet socket": lambda bench: bench.wired(PacketPort),
    "a raw packet socket with vnet header": _with_header,
    "a macvtap": lambda bench: bench.wired(MacvtapPort),
}
_FEATURES = {"": FEATURES, " and bit 27": FEATURES | SUPPLIES, " and bit 27 without MRG_RXBUF": PLAIN | SUPPLIES}


def _both_ways(make: Make, features: int) -> Callable[[Bench], dict[str, Any]]:
    """One frame out, then one in: what came out, and what lies in the receive buffer."""

    def run(bench: Bench) -> dict[str, Any]:
        guest = Guest(bench, features, tap=make(bench))
        sent = guest.send(1)
        out = {"ended": sent, "reaped": guest.reaped(TX), "seen": [got.hex() for got in guest.tap.frames(1, 0.2)]}
        (head, *_) = guest.provide(2)
        came = guest.arrive(ANSWER)
        into = {"ended": came, "reaped": guest.reaped(RX)}
        if into["reaped"]:  # what lies in a buffer that was not handed back is nobody's business
            into["bytes"] = guest.received(head, 12 + 60)
        return {"out": out, "in": into, "states": [guest.state(TX), guest.state(RX)]}

    return run


for _port, _make in _PORTS.items():
    for _with, _features in _FEATURES.items():
        SUITE.add(f"both ways through {_port}{_with}", _both_ways(_make, _features))


def _attach(make: Make, index: int) -> Callable[[Bench], list[str]]:
    """A tap of another kind is accepted like any other, and let go of."""

    def run(bench: Bench) -> list[str]:
        device, fd = bench.ready(index), make(bench).fileno()
        return [outcome(device.net_set_backend, index, number) for number in (fd, fd, -1)]

    return run


SUITE.add("net_set_backend TX a macvtap", _attach(_PORTS["a macvtap"], TX))
SUITE.add("net_set_backend RX a macvtap", _attach(_PORTS["a macvtap"], RX))
