"""Lesson 9, first packet in: what really happens at each step. A function returns the condition it ended on."""

from tour.device.contract import RX, TX
from tour.device.fdinfo import holders
from tour.net.frames import (
    GUEST_IP,
    GUEST_MAC,
    ICMP_ECHO_REQUEST,
    NET_HDR_LEN,
    PEER_IP,
    Echo,
    arp_request,
    echo,
    parse_arp,
)
from tour.scene.nic import TX_BUFFER, Nic
from tour.trace.recorder import here
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import Desc

HEADER = NetHeader().pack()
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
PING_DATA = bytes(range(56))
PING_LEN = 98
"""Ethernet 14, IPv4 20, ICMP 8, data 56: what ping(8) sends unless told otherwise."""
KVM = "/dev/kvm"


def ask(nic: Nic) -> str:
    """Lesson 8 at one go: the ARP request leaves. What comes back comes by itself."""
    write(nic, REQUEST)
    return send(nic, len(REQUEST))


def call(nic: Nic) -> None:
    """You, as KVM's irqfd: the receive queue's own doorbell."""
    nic.bells[RX].drain_call()


def reap(nic: Nic) -> None:
    """The used entry names the buffer that holds the reply."""
    nic.head = take(nic)


def learn(nic: Nic) -> None:
    """The reply is read from guest memory, and the ping written to the address it told."""
    gpa = nic.rings[RX].read_desc(nic.head).addr
    reply = parse_arp(nic.memory.read(gpa + NET_HDR_LEN, len(REQUEST)))
    request = Echo(ICMP_ECHO_REQUEST, GUEST_MAC, reply.sha, GUEST_IP, reply.spa, ident=9, seq=1, data=PING_DATA)
    write(nic, echo(request))


def ping(nic: Nic) -> str:
    """The echo request leaves; the peer answers."""
    return send(nic, PING_LEN)


def read(nic: Nic) -> None:
    """The driver looks at used.idx by itself: nobody reads the doorbell first."""
    take(nic)


def refill(nic: Nic) -> str:
    """Every buffer taken is offered again; the device is kicked only if it asked for that."""
    for buffer in reversed(held_by_driver(nic)):
        nic.rx.write_entry(nic.rx.write_chain([], [(buffer.addr, buffer.len)]))
    nic.rx.publish()
    if nic.rx.needs_kick():
        nic.rx.kick()
    return nic.settle(RX)


def no_kvm(nic: Nic) -> None:
    """Look through the descriptors of every process of ours."""
    nic.recorder.emit(holders(KVM), actor="control", source="observer", frame=here())


def write(nic: Nic, frame: bytes) -> None:
    """A packet into the transmit buffer, once the driver has taken that back: header, then the frame."""
    nic.tx.reap()
    nic.write_buffer(TX_BUFFER, HEADER, "net_hdr")
    nic.write_buffer(TX_BUFFER + len(HEADER), frame, "frame")


def send(nic: Nic, size: int) -> str:
    """Offer the transmit buffer, ring, and wait for both queues."""
    nic.tx.add([(TX_BUFFER, len(HEADER) + size)])
    nic.tx.publish()
    if nic.tx.needs_kick():
        nic.tx.kick()
    return nic.settle(TX, RX)


def take(nic: Nic) -> int:
    """Take back every chain of the receive queue that the device is done with. Returns the first's head."""
    heads = []
    while (used := nic.rx.reap()) is not None:
        heads.append(used.head)
    return heads[0] if heads else 0


def held_by_driver(nic: Nic) -> list[Desc]:
    """Receive buffers that are not offered, as their descriptors still tell."""
    ring = nic.rings[RX]
    found = [(head, ring.read_desc(head)) for head in range(ring.num)]
    return [desc for head, desc in found if desc.len and head not in nic.rx.in_flight]
