"""The loop in user space: the rings served with system calls of its own, each told; vhost's place taken and given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, ICMP_ECHO_REQUEST, PEER_IP, PEER_MAC, Echo, echo, parse_echo
from tour.scene.choose import Chosen
from tour.scene.loop import Loop
from tour.scene.nic import RX_BUFFER_SIZE, RX_BUFFERS, TX_BUFFER, Nic, Plan
from tour.scene.set_up import fill, hand_over
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.virtqueue.net_header import NetHeader

pytestmark = pytest.mark.requires("embedded")
HEADER = NetHeader().pack()


@pytest.fixture
def told() -> list[ev.Event]:
    return []


@pytest.fixture
def nic(told: list[ev.Event]) -> Iterator[Nic]:
    made = Nic(Recorder(told.append), Chosen("embedded", None, "socketpair"), Plan())
    made.map_memory()
    made.place_rings()
    for bells in made.bells.values():
        bells.make()
    fill(made)
    made.open_port()
    yield made
    made.close()


def ping(nic: Nic, seq: int) -> None:
    """Offer a ping and kick; the buffer of the one before is taken back."""
    nic.tx.reap()
    packet = Echo(ICMP_ECHO_REQUEST, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, ident=7, seq=seq, data=b"loop")
    nic.memory.write(TX_BUFFER, HEADER + echo(packet))
    nic.tx.add([(TX_BUFFER, len(HEADER + echo(packet)))])
    nic.tx.publish()
    nic.tx.kick()


def calls(told: list[ev.Event]) -> list[str]:
    """The loop's system calls, EAGAIN noted."""
    found = [one.data for one in told if one.actor == "device" and isinstance(one.data, ev.Syscall)]
    return [call.name + (f" {call.errno}" if call.errno else "") for call in found]


def reply(nic: Nic, buffer: int) -> int:
    """The sequence number of the reply in that receive buffer."""
    used = nic.rx.reap()
    assert used is not None
    gpa = RX_BUFFERS + buffer * RX_BUFFER_SIZE
    return parse_echo(nic.memory.read(gpa, used.len)[len(HEADER) :]).seq


def test_a_frame_out_takes_four_calls_and_the_tap_is_left_alone(nic: Nic, told: list[ev.Event]) -> None:
    loop = Loop(nic, {RX: 0, TX: 0})
    assert loop.settle() == "quiescent"
    ping(nic, 1)
    assert loop.settle() == "quiescent"
    assert calls(told) == ["epoll_wait", "read", "writev", "write"]
    assert nic.bells[TX].drain_call() == 1 and nic.rx.reap() is None
    assert (nic.rings[TX].load_used_idx(), nic.rings[RX].load_used_idx()) == (1, 0)


def test_the_reply_is_read_until_there_is_none_and_lies_in_the_guests_buffer(nic: Nic, told: list[ev.Event]) -> None:
    loop = Loop(nic, {RX: 0, TX: 0})
    ping(nic, 1)
    loop.settle()
    told.clear()
    loop.watch_tap()
    loop.settle()
    assert calls(told) == ["epoll_wait", "read", "read EAGAIN", "write"]
    assert reply(nic, 0) == 1
    assert nic.memory.read(RX_BUFFERS + 10, 2) == b"\1\0"


def test_vhost_goes_on_where_the_loop_stopped_and_the_loop_where_vhost_did(nic: Nic) -> None:
    loop = Loop(nic, {RX: 0, TX: 0})
    loop.watch_tap()
    ping(nic, 1)
    loop.settle()
    bases = loop.close()
    assert bases == {RX: 1, TX: 1} == loop.close()
    assert hand_over(nic, bases) == "quiescent"
    ping(nic, 2)
    nic.settle(TX, RX)
    again = Loop(nic, {index: nic.device.stop(index) for index in (RX, TX)})
    again.watch_tap()
    ping(nic, 3)
    again.settle()
    assert [reply(nic, buffer) for buffer in range(3)] == [1, 2, 3]
    assert again.close() == {RX: 3, TX: 3}
