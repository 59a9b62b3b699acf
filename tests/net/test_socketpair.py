from __future__ import annotations

import os
import threading

from hypothesis import given
from hypothesis import strategies as st

from tests.net.talk import ARP, HEADER, ask, ping
from tests.support import in_own_network, wait_until
from tour.net import frames as F
from tour.net.port import open_port
from tour.net.socketpair import SocketpairPort, answer


def test_it_answers_arp_and_ping() -> None:
    with SocketpairPort() as port:
        assert not port.real
        assert F.parse_arp(ask(port, ARP)).sha == F.PEER_MAC
        reply = F.parse_echo(ask(port, ping(3, b"abc")))
        assert (reply.kind, reply.seq, reply.data) == (F.ICMP_ECHO_REPLY, 3, b"abc")
        assert port.read() is None


@in_own_network
def test_it_answers_arp_as_the_kernel_does() -> None:
    port = open_port(choice="tap")
    assert answer(ARP) == ask(port, ARP)
    mine, kernels = answer(ping(1, b"same")), ask(port, ping(1, b"same"))
    assert mine is not None
    assert F.parse_echo(mine) == F.parse_echo(kernels)
    port.close()


def test_a_burst_comes_back_whole_and_in_order() -> None:
    with SocketpairPort() as port:
        for seq in range(64):
            port.write(HEADER + ping(seq))
        got: list[int] = []
        for _ in range(64):
            wait_until(port.pending, "the next answer")
            data = port.read()
            assert data is not None
            got.append(F.parse_echo(data[len(HEADER) :]).seq)
        assert got == list(range(64))


def test_observers_see_both_directions() -> None:
    with SocketpairPort() as port:
        observer = port.observe()
        reply = ask(port, ARP)
        seen = observer.poll()
        assert [(one.direction, one.frame) for one in seen] == [("out", ARP), ("in", reply)]
        assert seen[0].t <= seen[1].t
        assert observer.poll() == []
        observer.close()
        observer.close()
        ask(port, ARP)
        assert observer.lost() == 0


def test_questions_for_others_stay_unanswered() -> None:
    other = "10.0.2.77"
    assert answer(F.arp_request(F.GUEST_MAC, F.GUEST_IP, other)) is None
    stray = F.Echo(F.ICMP_ECHO_REQUEST, F.GUEST_MAC, F.PEER_MAC, F.GUEST_IP, other, 1, 1)
    assert answer(F.echo(stray)) is None
    own = F.Echo(F.ICMP_ECHO_REPLY, F.GUEST_MAC, F.PEER_MAC, F.GUEST_IP, F.PEER_IP, 1, 1)
    assert answer(F.echo(own)) is None, "a reply is not a question"


@given(st.binary(max_size=120))
def test_nothing_makes_the_peer_raise(frame: bytes) -> None:
    answer(frame)
    answer(ARP[:14] + frame)
    answer(ping()[:14] + frame)


def test_hostile_datagrams_do_not_end_the_peer() -> None:
    with SocketpairPort() as port:
        for data in (b"\0", b"short", HEADER, HEADER + b"x" * 13, HEADER + ARP[:20]):
            port.write(data)
        assert len(ask(port, ARP)) == 42


def test_close_leaves_neither_thread_nor_descriptor() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    port = SocketpairPort()
    port.close()
    port.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert "peer" not in [thread.name for thread in threading.enumerate()]
