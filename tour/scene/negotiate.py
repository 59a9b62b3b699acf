"""Three feature words: vhost's, the network device's, the driver's; and what of the last is told to vhost.

vhost's word says what vhost can do with rings and headers, not what a network card has. Whoever sets the device up
(QEMU, here we) puts the device's word together: of what rings can do, only what vhost can too; to that comes what the
tap does, and what the device itself has, such as a MAC address [virtio v1.3 2.2, 5.1.3].
"""

from __future__ import annotations

from tour.abi.names import Feature, TunOffload, word_of

RINGS = word_of(
    Feature.VIRTIO_NET_F_MRG_RXBUF,
    Feature.VIRTIO_RING_F_INDIRECT_DESC,
    Feature.VIRTIO_RING_F_EVENT_IDX,
    Feature.VIRTIO_F_VERSION_1,
)
"""Bits that whoever serves the rings must know, as far as this course offers them. Not among them: bits 26 and 27,
which are between QEMU and vhost, and bits that the kernels at hand do not all have."""
TAP = word_of(Feature.VIRTIO_NET_F_CSUM, Feature.VIRTIO_NET_F_HOST_TSO4)
"""Work that a tap with a virtio_net_hdr takes over: checksums, and the cutting of large TCP segments."""
RECEIVING = word_of(Feature.VIRTIO_NET_F_GUEST_CSUM, Feature.VIRTIO_NET_F_GUEST_TSO4)
"""Unfinished frames that a driver may be willing to take from a tap: without checksum, or not yet cut."""
CARD = word_of(Feature.VIRTIO_NET_F_MAC, Feature.VIRTIO_NET_F_STATUS)
"""What a network card has to show in its configuration space."""
FEATURES = Feature.VIRTIO_F_VERSION_1.mask | Feature.VIRTIO_NET_F_MRG_RXBUF.mask
"""What vhost is told in every run of this course, so that runs can be compared."""
DRIVER = FEATURES | word_of(Feature.VIRTIO_NET_F_CSUM, Feature.VIRTIO_NET_F_MAC)
"""What this course's driver acknowledges."""


def device_word(vhost: int, more: int = 0) -> int:
    """What the network device offers to a driver, given vhost's word, and ``more`` that this lesson's tap can do."""
    return vhost & RINGS | TAP | CARD | more


def tap_offloads(driver: int) -> int:
    """What a tap may leave unfinished in frames for that driver: TUNSETOFFLOAD's word (TUN_F_*, linux/if_tun.h).

    A segment is given uncut only with its checksum unfinished [set_offload(), drivers/net/tun.c@6.1].
    """
    if not Feature.VIRTIO_NET_F_GUEST_CSUM.on(driver):
        return 0
    cut = TunOffload.TUN_F_TSO4 if Feature.VIRTIO_NET_F_GUEST_TSO4.on(driver) else 0
    return int(TunOffload.TUN_F_CSUM | cut)


def vhost_part(driver: int, vhost: int) -> int:
    """What of the driver's word is told to vhost: it refuses a word with any bit it does not know."""
    return driver & vhost
