from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.net.talk import ARP, ask
from tests.support import in_own_network
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC
from tour.net.links import IP_ENV, IpProgram, LinkError, Links, PyrouteLinks, open_links, read_counters
from tour.net.tap import TapPort

SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFHWADDR = 0x8913, 0x8915, 0x8927
KINDS = pytest.mark.parametrize("kind", ["pyroute2", "iproute2", "busybox"])


@contextmanager
def links(kind: str) -> Iterator[Links]:
    """The implementation under test, by word."""
    if kind == "pyroute2":
        yield PyrouteLinks()
        return
    path = shutil.which("ip" if kind == "iproute2" else "busybox", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        pytest.skip(f"no {kind} here")
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(path, os.path.join(folder, "ip"))
        yield IpProgram(os.path.join(folder, "ip"))


def ask_kernel(request: int, name: str, size: int) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        raw = fcntl.ioctl(sock, request, struct.pack("16s24x", name.encode()))
    return raw[16 : 16 + size]


@KINDS
@in_own_network
def test_a_peer_is_made(kind: str) -> None:
    with TapPort() as tap, links(kind) as subject:
        subject.make_peer(tap.name, PEER_MAC, PEER_IP, (GUEST_IP, GUEST_MAC))
        assert ask_kernel(SIOCGIFHWADDR, tap.name, 8)[2:].hex(":") == PEER_MAC
        assert socket.inet_ntoa(ask_kernel(SIOCGIFADDR, tap.name, 8)[4:]) == PEER_IP
        assert ask_kernel(SIOCGIFFLAGS, tap.name, 2)[0] & 1, "IFF_UP"
        assert len(ask(tap, ARP)) == 42
        counters = subject.counters(tap.name)
        assert (counters.rx_packets, counters.rx_bytes) == (1, 42)
        with open("/proc/net/arp") as file:
            assert file.read().split()[-6:-2] == [GUEST_IP, "0x1", "0x6", GUEST_MAC], "complete and permanent"


@KINDS
@in_own_network
def test_errors_name_the_link_and_the_change(kind: str) -> None:
    with TapPort() as tap, links(kind) as subject:
        with pytest.raises(LinkError, match="Link nope"):
            subject.set_up("nope")
        subject.add_address(tap.name, PEER_IP)
        with pytest.raises(LinkError, match=f"Link tap0.*{PEER_IP}/24"):
            subject.add_address(tap.name, PEER_IP)


@in_own_network
def test_a_neighbour_of_a_link_that_is_not_there() -> None:
    with pytest.raises(LinkError, match="Link nope: set neighbour"):
        PyrouteLinks().set_neighbour("nope", GUEST_IP, GUEST_MAC)


def test_an_ip_program_that_is_not_there() -> None:
    with pytest.raises(LinkError, match="could not be run"):
        IpProgram("/no/such/ip").set_up("nope")


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VHOST_TOUR_IP", raising=False)
    assert isinstance(open_links(), PyrouteLinks)
    monkeypatch.setenv("VHOST_TOUR_IP", "/bin/ip")
    chosen = open_links()
    assert isinstance(chosen, IpProgram)
    assert chosen.path == "/bin/ip"


def test_pyroute2_is_imported_only_when_used() -> None:
    code = "import sys, tour.net.port; assert 'pyroute2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_counters_of_no_link() -> None:
    with pytest.raises(LinkError, match="Link nope: there is no such link"):
        read_counters("nope")


def test_pyroute2_missing_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(LinkError, match="pyroute2 could not be imported") as caught:
        PyrouteLinks().set_up("nope")
    assert IP_ENV in caught.value.fix


@in_own_network
def test_a_tap_holds_as_many_frames_as_its_queue_is_long() -> None:
    with TapPort() as tap:
        links_ = open_links()
        links_.make_peer(tap.name, PEER_MAC, PEER_IP, (GUEST_IP, GUEST_MAC))
        links_.set_queue_length(tap.name, 16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(20):
                sock.sendto(b"x", (GUEST_IP, 4000))
        assert links_.counters(tap.name).tx_dropped == 4
        with pytest.raises(LinkError, match="Link nope: set txqueuelen"):
            links_.set_queue_length("nope", 16)
