from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.net.talk import ARP, HEADER, ask, ping
from tests.support import in_own_network, wait_until
from tour.net import frames as F
from tour.net.links import PyrouteLinks, read_counters
from tour.net.observer import TapObserver
from tour.net.port import open_port


@in_own_network
def test_it_sees_both_directions_in_order_with_the_kernels_time() -> None:
    port = open_port(choice="tap")
    observer = port.observe()
    start = time.monotonic_ns()
    answers = [ask(port, frame) for frame in (ARP, ping(1), ping(2))]
    end = time.monotonic_ns()
    seen = observer.poll()
    asked = [ARP, ping(1), ping(2)]
    assert [(one.direction, one.frame) for one in seen] == [
        pair for sent, got in zip(asked, answers, strict=True) for pair in (("out", sent), ("in", got))
    ]
    times = [one.t for one in seen]
    assert times == sorted(times)
    slack = 5_000_000  # the two clocks are read one after the other
    assert start - slack <= times[0] <= times[-1] <= end + slack
    assert observer.poll() == []
    observer.close()
    port.close()


@in_own_network
def test_frames_wait_until_it_is_polled() -> None:
    port = open_port(choice="tap")
    observer = port.observe()
    for seq in range(500):
        port.write(HEADER + ping(seq, bytes(1000)))
    seen = observer.poll()
    sent = [F.parse_echo(one.frame).seq for one in seen if one.direction == "out"]
    assert sent == list(range(500))
    assert observer.lost() == 0
    observer.close()
    port.close()


@in_own_network
def test_what_is_not_ours_is_not_shown() -> None:
    port = open_port(choice="tap")
    observer = port.observe()
    foreign = F.ethernet("06:00:00:00:00:07", "06:00:00:00:00:08", 0x88B5, bytes(40))
    ours = F.ethernet("06:00:00:00:00:07", F.GUEST_MAC, 0x88B5, bytes(40))
    for frame in (foreign, ours):
        port.write(HEADER + frame)
    assert [one.frame for one in observer.poll()] == [ours]
    observer.close()
    port.close()


@in_own_network
def test_a_link_that_goes_down_does_not_end_it() -> None:
    port = open_port(choice="tap")
    observer = port.observe()
    ask(port, ARP)
    take_down(port.name)
    assert len(observer.poll()) == 2
    PyrouteLinks().set_up(port.name)
    ask(port, ARP)
    assert len(observer.poll()) == 2
    observer.close()
    port.close()


def take_down(name: str) -> None:
    from pyroute2 import IPRoute  # type: ignore[import-untyped]

    with IPRoute() as route:
        route.link("set", index=route.link_lookup(ifname=name)[0], state="down")


@in_own_network
def test_a_flood_is_counted_as_lost() -> None:
    port = open_port(choice="tap")
    observer = port.observe()
    total = 4000
    for seq in range(total):
        port.write(HEADER + ping(seq, bytes(1400)))
        port.read()
    wait_until(lambda: read_counters(port.name).rx_packets == total, "all frames to arrive")
    seen = observer.poll()
    lost = observer.lost()
    assert lost > 0
    assert len(seen) + lost >= total
    assert observer.lost() == lost, "counted once"
    observer.close()
    port.close()


@in_own_network
def test_no_such_interface() -> None:
    with pytest.raises(OSError, match="No such device"):
        TapObserver("nope")


@in_own_network
def test_tcpdump_saw_the_same() -> None:
    program = shutil.which("tcpdump", path="/usr/bin:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("no tcpdump here")
    port = open_port(choice="tap")
    argv = [program, "-Z", "root", "--immediate-mode", "-U", "-c", "6", "-w", "-", "-i", port.name]
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dump,
        closing(port.observe()) as observer,
    ):
        assert dump.stderr
        assert b"listening" in dump.stderr.readline()
        for frame in (ARP, ping(1), ping(2)):
            ask(port, frame)
        capture = dump.communicate(timeout=20)[0]
        assert list(packets(capture)) == [one.frame for one in observer.poll()]
    port.close()


def packets(capture: bytes) -> Iterator[bytes]:
    """The frames of a capture in pcap's classic format (24 bytes of header, 16 before each frame)."""
    at = 24
    while at < len(capture):
        (length,) = struct.unpack_from("=I", capture, at + 8)
        yield capture[at + 16 : at + 16 + length]
        at += 16 + length
