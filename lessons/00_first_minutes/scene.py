"""The first five minutes: one ARP request out and its reply back, in six actions."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.scene.nic import RX_BUFFER_SIZE, TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def buffer(nic: Nic) -> None:
    """Packet, descriptor, entry."""
    nic.write_buffer(TX_BUFFER, HEADER, "net_hdr")
    nic.write_buffer(TX_BUFFER + len(HEADER), REQUEST, "frame")
    nic.head = nic.tx.write_chain([(TX_BUFFER, len(HEADER) + len(REQUEST))], [])
    nic.tx.write_entry(nic.head)


def publish(nic: Nic) -> None:
    """One index offers it."""
    nic.tx.publish()


def kick(nic: Nic) -> str:
    """The doorbell: the request leaves, and the peer answers."""
    if nic.tx.needs_kick():
        nic.tx.kick()
    return nic.settle(TX, RX)


def reply(nic: Nic) -> None:
    """The receive queue's doorbell has rung."""
    nic.bells[RX].drain_call()


def reap(nic: Nic) -> None:
    """Which buffer, and how many bytes."""
    used = nic.rx.reap()
    if used is not None:
        nic.head = used.head


def read(nic: Nic) -> None:
    """The answer is read, and the buffer goes back to the device."""
    gpa = nic.rings[RX].read_desc(nic.head).addr
    head = nic.rx.write_chain([], [(gpa, RX_BUFFER_SIZE)])
    nic.rx.write_entry(head)
    nic.rx.publish()
