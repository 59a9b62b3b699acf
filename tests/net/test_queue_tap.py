"""A tap with several queues: which frames come where, what a driver's word makes the kernel do."""

from __future__ import annotations

import os
import select
import socket

import pytest

from tests.support import in_own_network
from tour.abi.names import Feature, word_of
from tour.errors import CapabilityMissing
from tour.net.address import bring_up
from tour.net.frames import PEER_IP, PEER_MAC
from tour.net.links import LinkError
from tour.net.queue_tap import OFFLOADS, QueueTap

GUEST = "10.0.2.1"


def waiting(tap: QueueTap) -> list[int]:
    """Queues in which a frame waits; taken out."""
    found = []
    for index, queue in enumerate(tap.queues):
        poll = select.poll()
        poll.register(queue.fd, select.POLLIN)
        while any(event & select.POLLIN for _, event in poll.poll(0)):
            os.read(queue.fd, 70000)
            found.append(index)
    return found


def talk(flows: int) -> None:
    """Many flows towards the guest, whose address is known."""
    from tour.net.links import open_links

    open_links().set_neighbour("tap0", GUEST, "02:00:00:00:00:01")
    for port in range(flows):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", (GUEST, 2000 + port))


@in_own_network
def test_frames_go_to_queues_in_use_only() -> None:
    tap = QueueTap("tap0", 2)
    bring_up("tap0", PEER_IP, PEER_MAC)
    talk(32)
    assert set(waiting(tap)) == {0}
    tap.use(1, True)
    talk(64)
    assert set(waiting(tap)) == {0, 1}
    tap.use(1, False)
    tap.use(1, False)
    talk(32)
    assert set(waiting(tap)) == {0}
    tap.close()
    assert "tap0" not in [name for _, name in socket.if_nameindex()]


@in_own_network
def test_what_lay_in_a_queue_before_is_thrown_away() -> None:
    tap = QueueTap("tap0")
    bring_up("tap0", PEER_IP, PEER_MAC)
    talk(8)
    tap.use(0, True)
    assert waiting(tap) == []
    talk(3)
    assert waiting(tap) == [0, 0, 0]


@in_own_network
def test_the_header_is_as_long_as_was_negotiated() -> None:
    tap = QueueTap("tap0")
    bring_up("tap0", PEER_IP, PEER_MAC)
    sizes = []
    for length in (12, 10):
        tap.negotiated(0, length)
        talk(1)
        sizes.append(len(os.read(tap.queues[0].fd, 70000)))
    assert sizes[0] - sizes[1] == 2


@in_own_network
def test_the_kernel_leaves_checksums_to_a_driver_that_takes_them() -> None:
    tap = QueueTap("tap0")
    bring_up("tap0", PEER_IP, PEER_MAC)
    flags = []
    for word in (0, OFFLOADS, word_of(Feature.VIRTIO_NET_F_GUEST_TSO4), word_of(Feature.VIRTIO_NET_F_GUEST_CSUM)):
        tap.negotiated(word, 12)
        talk(1)
        flags.append(os.read(tap.queues[0].fd, 70000)[0])
    assert flags == [0, 1, 0, 1], "virtio_net_hdr.flags NEEDS_CSUM [virtio v1.3 5.1.6]"


@in_own_network
def test_what_cannot_be_is_said() -> None:
    single = QueueTap("tap0")
    with pytest.raises(CapabilityMissing, match="EINVAL"):
        QueueTap("tap0", 2)
    with pytest.raises(CapabilityMissing, match="EBUSY"):
        QueueTap("tap0")
    with pytest.raises(LinkError, match="nosuch"):
        bring_up("nosuch", PEER_IP)
    single.close()
    with pytest.raises(CapabilityMissing, match="open of /nowhere"):
        QueueTap("tap0", 1, "/nowhere")
