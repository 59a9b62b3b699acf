"""Checksums and segments left to the device: a large send arrives intact, seen by tcpdump and by a real TCP."""

from __future__ import annotations

import array
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Literal

import pytest

from tests.support import in_own_network, require
from tour.agent.stage import load_scene
from tour.device.embedded import EmbeddedDevice
from tour.errors import CapabilityMissing
from tour.lesson.model import load
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC
from tour.net.links import open_links
from tour.net.port import open_wired
from tour.net.segments import L4_AT, TCP, TCP_HEADER, TCP_SUM, Ends, Segment, take_apart, unfinished_tcp
from tour.net.wired import NEAR_LINK, PEER_LINK
from tour.scene.choose import Chosen
from tour.scene.nic import Nic, Plan
from tour.scene.packets import PacketIO
from tour.scene.set_up import set_up
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.virtqueue.net_header import GSO_TCPV4, NEEDS_CSUM, NetHeader

Gear = Literal["python", "engine"]
GEARS = pytest.mark.parametrize("gear", ["python", "engine"])
SYN, ACK = 0x02, 0x10
ENDS = Ends(GUEST_MAC, GUEST_IP, 4100, PEER_MAC, PEER_IP, 4101)
SENT = bytes(at * 11 & 0xFF for at in range(65536))
FIRST_PART = 42 * 1460


def probe_tcpdump() -> None:
    if shutil.which("tcpdump") is None:
        raise CapabilityMissing("tcpdump", "there is no tcpdump here", "", "sudo apt-get install tcpdump")


@contextmanager
def watching(link: str, count: int) -> Iterator[list[str]]:
    """What tcpdump says of ``count`` TCP packets at that link, of fewer if 10 s pass; complete after the block."""
    lines: list[str] = []
    command = ["tcpdump", "-i", link, "-nn", "-vv", "-U", "--immediate-mode", "-s", "2048", "-B", "8192", "-c"]
    with subprocess.Popen(
        [*command, str(count), "tcp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as dump:
        assert dump.stderr is not None
        while "listening on" not in (line := dump.stderr.readline()):
            assert line, "tcpdump ended"
        yield lines
        try:
            said = dump.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            dump.terminate()
            said = dump.communicate()[0]
        lines += said.splitlines()


def lesson(gear: Gear, told: list[ev.Event]) -> tuple[Nic, ModuleType]:
    """Lesson 11, ready for its first step."""
    nic = Nic(Recorder(told.append), Chosen("embedded", None, "tap", gear=gear), Plan())
    scene = load_scene(load("11").scene_path())
    set_up(nic, "own")
    scene.prepare(nic)
    return nic, scene


@GEARS
@in_own_network
def test_a_large_send_leaves_as_one_and_arrives_as_segments_that_tcpdump_finds_right(gear: Gear) -> None:
    require("tcpdump", probe_tcpdump)
    told: list[ev.Event] = []
    nic, scene = lesson(gear, told)
    with closing(nic), watching(PEER_LINK, 45) as lines:
        scene.big(nic)
        scene.cut(nic)
    figures = {one.data.name: one.data.value for one in told if isinstance(one.data, ev.Figure)}
    assert (figures["tso.tap"], figures["tso.wire"], figures["tso.wrong"], figures["tso.same"]) == (1, 45, 0, 1)
    sums = [line for line in lines if "cksum" in line]
    assert sum("(correct)" in line for line in sums) == 45, "\n".join(lines)
    assert not [line for line in sums if "incorrect" in line or "bad cksum" in line]


def handshake(packets: PacketIO) -> Segment:
    """SYN, its answer, ACK; returns the answer."""
    send(packets, unfinished_tcp(ENDS, 1000, 0, b"", SYN), NetHeader(NEEDS_CSUM, csum_start=L4_AT, csum_offset=TCP_SUM))
    answer = received(packets)
    opened = unfinished_tcp(ENDS, 1001, answer.seq + 1 & 0xFFFFFFFF, b"", ACK)
    send(packets, opened, NetHeader(NEEDS_CSUM, csum_start=L4_AT, csum_offset=TCP_SUM))
    return answer


def send(packets: PacketIO, frame: bytes, head: NetHeader) -> None:
    assert packets.send(frame, len(frame), head.pack()) == 1
    assert packets.wait_sent(1, 5) and packets.tx.reap() == 1


def received(packets: PacketIO) -> Segment:
    """The next TCP segment for the guest."""
    into, lengths = bytearray(70000), array.array("I", [0])
    while packets.wait_received(5):
        if packets.recv(into, lengths) and (found := take_apart(bytes(into[: lengths[0]]))) and found.proto == TCP:
            return found
    raise AssertionError("nothing came")


@GEARS
@in_own_network
def test_a_real_tcp_receives_what_was_cut_on_the_way(gear: Gear) -> None:
    with closing(open_wired("bridge")) as port, socket.create_server((PEER_IP, ENDS.dport)) as server:
        open_links().finish_checksums(NEAR_LINK)
        got = bytearray()
        reader = threading.Thread(target=read_all, args=(server, got))
        reader.start()
        with EmbeddedDevice(gear=gear) as device, PacketIO(device, port, num=16, room=70000) as packets:
            ack = handshake(packets).seq + 1 & 0xFFFFFFFF
            at = 0
            for part in (SENT[:FIRST_PART], SENT[FIRST_PART:]):
                frame = unfinished_tcp(ENDS, 1001 + at, ack, part)
                send(packets, frame, NetHeader(NEEDS_CSUM, GSO_TCPV4, L4_AT + TCP_HEADER, 1460, L4_AT, TCP_SUM))
                at += len(part)
                received(packets)
            reader.join(10)
    assert bytes(got) == SENT


def read_all(server: socket.socket, got: bytearray) -> None:
    server.settimeout(10)
    connection, _ = server.accept()
    with connection:
        connection.settimeout(10)
        while len(got) < len(SENT):
            got += connection.recv(65536)
