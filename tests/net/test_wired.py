"""A tap in a bridge, a raw packet socket, a macvtap: each reaches the peer, tells how it was made, leaves nothing."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.net.talk import ARP, HEADER
from tests.support import in_own_network, wait_until
from tour.errors import CapabilityMissing
from tour.net import frames as F
from tour.net.file import FilePort
from tour.net.links import IP_ENV, open_links, own_sysfs
from tour.net.port import open_wired
from tour.net.wired import BRIDGE, MACVTAP, NEAR_LINK, PEER_LINK, BridgedTap, MacvtapPort, PacketPort, Wires
from tour.trace.events import AnyPayload, Note, Peer, Syscall
from tour.trace.recorder import Recorder

PORTS: dict[str, Callable[[Recorder | None], FilePort]] = {
    "bridge": BridgedTap,
    "packet": PacketPort,
    "macvtap": MacvtapPort,
}
every_port = pytest.mark.parametrize("kind", list(PORTS))


def header(kind: str) -> bytes:
    """What travels before each frame there."""
    return b"" if kind == "packet" else HEADER


def names() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def opened(kind: str, recorder: Recorder | None = None) -> FilePort:
    """That port; the test is skipped where a user may not make its device node."""
    try:
        return PORTS[kind](recorder)
    except CapabilityMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("program", ["pyroute2", "busybox"])
@every_port
@in_own_network
def test_the_peer_answers_once_and_is_seen(kind: str, program: str) -> None:
    if program == "busybox":
        path = shutil.which("busybox") or pytest.skip("no busybox here")
        folder = tempfile.mkdtemp()
        os.symlink(path, f"{folder}/ip")
        os.environ[IP_ENV] = f"{folder}/ip"
    with opened(kind) as port, port.observe() as observer:
        port.write(header(kind) + ARP)
        wait_until(port.pending, "an answer")
        answer = port.read() or b""
        assert F.parse_arp(answer[len(header(kind)) :]).sha == F.PEER_MAC
        time.sleep(0.2)  # nothing more may come: a bridge that answers ARP too would by now
        assert port.read() is None
        assert [(seen.direction, seen.frame[:6].hex()) for seen in observer.poll()] == [
            ("out", "ffffffffffff"), ("in", F.GUEST_MAC.replace(":", "")),
        ]  # fmt: skip
    assert names() == ["lo"]


@every_port
@in_own_network
def test_what_was_made_is_told(kind: str) -> None:
    told: list[AnyPayload] = []
    try:
        port = open_wired(kind, Recorder(lambda event: told.append(event.data)))  # type: ignore[arg-type]
    except CapabilityMissing as missing:
        pytest.skip(str(missing))
    made = [data.args["name"] for data in told if isinstance(data, Note)]
    wanted = {"bridge": [BRIDGE, NEAR_LINK], "packet": [NEAR_LINK], "macvtap": [NEAR_LINK, MACVTAP]}
    assert made == wanted[kind]
    calls = [(data.name, data.errno) for data in told if isinstance(data, Syscall)]
    assert calls[0] == ("socket" if kind == "packet" else "open", None)
    assert told[-1] == Peer(port.name, F.PEER_MAC, F.PEER_IP, F.GUEST_MAC, F.GUEST_IP, True)
    port.close()
    port.close()


@in_own_network
def test_a_bridge_is_silent() -> None:
    with BridgedTap(), own_sysfs() as sys:
        bridge = sys / "class/net" / BRIDGE
        assert (bridge / "bridge/multicast_snooping").read_text() == "0\n"
        assert (bridge / "bridge/stp_state").read_text() == "0\n"
        assert int((bridge / "flags").read_text(), 16) & 0x80, "IFF_NOARP"
        assert sorted(path.name for path in (bridge / "brif").iterdir()) == [NEAR_LINK, "tap0"]


@in_own_network
def test_a_macvtap_is_a_character_device_and_its_node_is_gone_again() -> None:
    before = Path("/proc/self/mountinfo").read_text()
    with opened("macvtap") as port:
        assert stat.S_ISCHR(os.fstat(port.fileno()).st_mode)
    assert Path("/proc/self/mountinfo").read_text() == before


@every_port
@in_own_network
def test_links_that_are_in_the_way_are_said_and_nothing_is_left(kind: str) -> None:
    open_links().add_pair("other0", PEER_LINK)
    before, fds = names(), len(os.listdir("/proc/self/fd"))
    with pytest.raises(CapabilityMissing, match="on this machine") as caught:
        PORTS[kind](None)
    assert caught.value.name == "links"
    assert "EEXIST" in caught.value.why
    assert caught.value.fix == "tour start 7 --lab"
    assert names() == before
    assert len(os.listdir("/proc/self/fd")) == fds


@in_own_network
def test_a_link_that_is_gone_already_is_no_matter() -> None:
    wires = Wires(None)
    wires.pair()
    open_links().remove(NEAR_LINK)
    wires.remove()
    assert names() == ["lo"]


def test_none_is_made_in_the_systems_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VHOST_TOUR_LAYERS", raising=False)
    before = names()
    with pytest.raises(CapabilityMissing, match="no network namespace of its own"):
        open_wired("bridge")
    assert names() == before
