"""What the tests of ports say as the guest."""

from __future__ import annotations

from tests.support import wait_until
from tour.net import frames as F
from tour.net.port import Port

ARP = F.arp_request(F.GUEST_MAC, F.GUEST_IP, F.PEER_IP)
HEADER = bytes(F.NET_HDR_LEN)


def ping(seq: int = 1, data: bytes = b"hello") -> bytes:
    """An echo request of the guest's."""
    return F.echo(F.Echo(F.ICMP_ECHO_REQUEST, F.GUEST_MAC, F.PEER_MAC, F.GUEST_IP, F.PEER_IP, 7, seq, data))


def ask(port: Port, frame: bytes) -> bytes:
    """Send ``frame`` and return the frame that comes back; both headers are empty."""
    assert port.write(HEADER + frame) == len(HEADER) + len(frame)
    wait_until(port.pending, "an answer")
    answer = port.read()
    assert answer is not None
    assert answer[: len(HEADER)] == HEADER
    return answer[len(HEADER) :]
