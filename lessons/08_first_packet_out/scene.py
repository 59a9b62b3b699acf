"""Lesson 8, first packet out: what really happens at each step. A function returns the condition it ended on."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.scene.nic import TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def frame(nic: Nic) -> None:
    """The packet is written into guest memory: header, then the frame."""
    nic.write_buffer(TX_BUFFER, HEADER, "net_hdr")
    nic.write_buffer(TX_BUFFER + len(HEADER), REQUEST, "frame")


def describe(nic: Nic) -> None:
    """A descriptor says where it lies and how long it is."""
    nic.head = nic.tx.write_chain([(TX_BUFFER, len(HEADER) + len(REQUEST))], [])


def entry(nic: Nic) -> None:
    """The descriptor's number goes into the available ring."""
    nic.tx.write_entry(nic.head)


def publish(nic: Nic) -> None:
    """One index offers it."""
    nic.tx.publish()


def kick(nic: Nic) -> str:
    """The doorbell; then the device does its part, and the peer its own."""
    if nic.tx.needs_kick():
        nic.tx.kick()
    return nic.settle(TX, RX)


def call(nic: Nic) -> None:
    """You, as KVM's irqfd: read the call eventfd."""
    nic.bells[TX].drain_call()


def reap(nic: Nic) -> None:
    """The used entry is read, its descriptor is free again."""
    nic.tx.reap()
