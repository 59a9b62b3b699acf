"""Lesson 15, ioeventfd: what really happens at each step. A function returns the condition it ended on."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.scene.kvm_kicks import Kicks
from tour.scene.nic import TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

TIMES = 100
PACKET = NetHeader().pack() + arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def prepare(nic: Nic) -> None:
    """A frame is published and not kicked for; a guest in KVM stands beside, with the same memory."""
    nic.write_buffer(TX_BUFFER, PACKET, "buffer")
    nic.tx.write_entry(nic.tx.write_chain([(TX_BUFFER, len(PACKET))], []))
    nic.tx.publish()
    nic.own.guest = Kicks(nic)


def trip(nic: Nic) -> None:
    """The guest writes to a port that nobody claimed."""
    nic.own.guest.run()


def assign(nic: Nic) -> None:
    """That port, with that value, is made an ioeventfd."""
    nic.own.guest.bind(TX)


def kick(nic: Nic) -> str:
    """The same instruction once more."""
    nic.own.guest.run()
    return nic.settle(TX, RX)


def other(nic: Nic) -> None:
    """The same port, another value."""
    nic.own.guest.run(value=RX)


def other_any(nic: Nic) -> None:
    """The ioeventfd takes any value; then that other value."""
    nic.own.guest.unbind()
    nic.own.guest.bind(None)
    nic.own.guest.run(value=RX)


def hundred(nic: Nic) -> None:
    """A hundred kicks with the ioeventfd."""
    count(nic, "with")


def without(nic: Nic) -> None:
    """It is taken away; a hundred writes to the port."""
    nic.own.guest.unbind()
    count(nic, "without")


def without_hand(nic: Nic) -> None:
    """The same, and our own process rings for each."""
    nic.own.guest.machine.answer = nic.own.guest.ring
    without(nic)
    nic.figure("rung", nic.own.guest.rung)


def count(nic: Nic, name: str) -> None:
    """Both numbers of one run of a hundred."""
    found = nic.own.guest.run(TIMES)
    nic.figure(f"{name}.returns", found.returns)
    if found.exits is not None:
        nic.figure(f"{name}.exits", found.exits)
