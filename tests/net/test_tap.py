from __future__ import annotations

import errno
import os
import select
import socket

import pytest

from tests.net.talk import ARP, ask, ping
from tests.support import in_own_network
from tour.errors import CapabilityMissing
from tour.net import frames as F
from tour.net.links import open_links, read_counters
from tour.net.port import open_port
from tour.net.tap import TapPort, missing
from tour.trace.events import AnyPayload, Event, Peer, Syscall
from tour.trace.recorder import Recorder


@in_own_network
def test_the_kernel_answers_arp_and_ping() -> None:
    port = open_port(choice="tap")
    assert port.real
    assert F.parse_arp(ask(port, ARP)) == F.Arp(F.ARP_REPLY, F.PEER_MAC, F.PEER_IP, F.GUEST_MAC, F.GUEST_IP)
    for seq in range(20):
        reply = F.parse_echo(ask(port, ping(seq, bytes([seq]) * 56)))
        assert (reply.kind, reply.seq, reply.data) == (F.ICMP_ECHO_REPLY, seq, bytes([seq]) * 56)
    counters = read_counters(port.name)
    assert (counters.rx_packets, counters.tx_packets) == (21, 21)
    assert port.read() is None
    port.close()


@in_own_network
def test_every_system_call_is_an_event_with_its_line() -> None:
    events: list[Event] = []
    port = open_port(Recorder(events.append), choice="tap")
    calls = [event.data for event in events if isinstance(event.data, Syscall)]
    fd = str(port.fileno())
    assert [(call.name, *call.args[:2]) for call in calls] == [
        ("open", '"/dev/net/tun"', "O_RDWR|O_NONBLOCK|O_CLOEXEC"),
        ("ioctl", fd, "TUNSETIFF"),
        ("ioctl", fd, "TUNSETVNETHDRSZ"),
        ("ioctl", fd, "TUNSETOFFLOAD"),
    ]
    assert "TUNSETIFF" in events[1].code
    assert events[1].where.startswith("net/tap.py:")
    assert events[-1].data == Peer("tap0", F.PEER_MAC, F.PEER_IP, F.GUEST_MAC, F.GUEST_IP, True)
    port.close()


@in_own_network
def test_nobody_talks_unasked() -> None:
    port = open_port(choice="tap")
    with TapPort(name="tap1") as quiet, quiet.observe() as observer:
        open_links().set_up("tap1")
        poll = select.poll()
        for fd in (port.fileno(), quiet.fileno(), observer.fileno()):
            poll.register(fd, select.POLLIN)
        assert poll.poll(3000) == [], "with IPv6 on, six frames come in 2.5 s"
    port.close()


@in_own_network
def test_the_interface_goes_with_the_port() -> None:
    port = open_port(choice="tap")
    assert "tap0" in [name for _, name in socket.if_nameindex()]
    port.close()
    port.close()
    assert "tap0" not in [name for _, name in socket.if_nameindex()]


@in_own_network
def test_a_name_in_use_is_explained() -> None:
    with TapPort():
        events: list[AnyPayload] = []
        with pytest.raises(CapabilityMissing, match="EBUSY") as caught:
            TapPort(Recorder(lambda event: events.append(event.data)))
        assert caught.value.name == "tun"
        last = events[-1]
        assert isinstance(last, Syscall)
        assert (last.name, last.args[1], last.result, last.errno) == ("ioctl", "TUNSETIFF", -1, "EBUSY")
    before = os.listdir("/proc/self/fd")
    TapPort().close()
    assert os.listdir("/proc/self/fd") == before


@in_own_network
def test_without_the_right_it_is_explained() -> None:
    try:
        os.setresuid(65534, 65534, 65534)
    except OSError:
        pytest.skip("this namespace has one user only")
    with pytest.raises(CapabilityMissing, match=r"EPERM|EACCES") as caught:
        TapPort()
    assert caught.value.fix


def test_no_device_is_explained() -> None:
    events: list[AnyPayload] = []
    with pytest.raises(CapabilityMissing, match="ENOENT") as caught:
        TapPort(Recorder(lambda event: events.append(event.data)), device="/no/such/tun")
    assert caught.value.fix.startswith("sudo modprobe tun")
    assert events == [Syscall("open", ['"/no/such/tun"', "O_RDWR|O_NONBLOCK|O_CLOEXEC"], -1, "ENOENT")]


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENODEV, errno.EACCES, errno.EPERM, errno.EBUSY])
def test_every_refusal_has_why_and_fix(code: int) -> None:
    error = missing("open", OSError(code, os.strerror(code)))
    assert errno.errorcode[code] in error.what
    assert error.why
    assert error.fix


def test_a_refusal_nobody_foresaw_is_told_all_the_same() -> None:
    assert os.strerror(errno.EIO) in str(missing("open", OSError(errno.EIO, os.strerror(errno.EIO))))


@in_own_network
def test_a_frame_larger_than_the_mtu_and_a_runt() -> None:
    port = open_port(choice="tap")
    big = F.parse_echo(ask(port, ping(1, bytes(1400))))
    assert len(big.data) == 1400
    with pytest.raises(OSError, match="Invalid"):
        port.write(bytes(F.NET_HDR_LEN) + b"short")
    port.close()
