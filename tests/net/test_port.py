from __future__ import annotations

import os
import socket

import pytest

from tests.support import in_own_network
from tour.errors import CapabilityMissing
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC
from tour.net.links import IP_ENV, LinkError
from tour.net.port import open_port
from tour.net.socketpair import SocketpairPort
from tour.trace.events import AnyPayload, Peer, Syscall
from tour.trace.recorder import Recorder


@pytest.mark.parametrize("layers", [None, "", "user,mount,pid,proc"])
def test_no_link_is_made_in_the_systems_network(layers: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if layers is None:
        monkeypatch.delenv("VHOST_TOUR_LAYERS", raising=False)
    else:
        monkeypatch.setenv("VHOST_TOUR_LAYERS", layers)
    links = socket.if_nameindex()
    with pytest.raises(CapabilityMissing, match="no network namespace of its own") as caught:
        open_port(choice="tap")
    assert caught.value.name == "tun"
    assert socket.if_nameindex() == links


def test_open_port_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VHOST_TOUR_LAYERS", raising=False)
    port = open_port()
    assert isinstance(port, SocketpairPort)
    assert "no network namespace of its own" in port.why
    port.close()


def test_the_stand_in_announces_itself() -> None:
    events: list[AnyPayload] = []
    port = open_port(Recorder(lambda event: events.append(event.data)), choice="socketpair")
    assert port.why == ""
    assert isinstance(events[0], Syscall)
    assert events[1] == Peer("socketpair", PEER_MAC, PEER_IP, GUEST_MAC, GUEST_IP, False)
    port.close()


@in_own_network
def test_a_tap_that_is_refused_becomes_the_stand_in_with_the_reason() -> None:
    first = open_port()
    assert first.real
    second = open_port()
    assert isinstance(second, SocketpairPort)
    assert "EBUSY" in second.why
    second.close()
    first.close()


@in_own_network
def test_a_peer_that_cannot_be_made_leaves_no_tap() -> None:
    os.environ[IP_ENV] = "/no/such/ip"
    with pytest.raises(LinkError, match="Link tap0"):
        open_port()
    assert "tap0" not in [name for _, name in socket.if_nameindex()]
