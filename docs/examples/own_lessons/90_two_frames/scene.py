"""What really happens at each step of this lesson. A function returns the condition it ended on."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.scene.nic import TX_BUFFER, Nic
from tour.virtqueue.net_header import NetHeader

PACKET = NetHeader().pack() + arp_request(GUEST_MAC, GUEST_IP, PEER_IP)


def publish(nic: Nic) -> None:
    """Two buffers, two chains, one store of avail.idx."""
    for gpa in (TX_BUFFER, TX_BUFFER + 0x800):
        nic.write_buffer(gpa, PACKET, "frame")
        nic.tx.add([(gpa, len(PACKET))])
    nic.tx.publish()


def kick(nic: Nic) -> str:
    """One write to the eventfd; then the device does its part."""
    nic.tx.kick()
    return nic.settle(TX, RX)
