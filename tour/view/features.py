"""Feature bits for people: short names, and who uses each. The numbers are abi's table of facts."""

from __future__ import annotations

from tour.abi.names import Feature

PREFIXES = ("VIRTIO_NET_F_", "VIRTIO_RING_F_", "VHOST_NET_F_", "VHOST_F_", "VIRTIO_F_")
NAMES = {bit.value: next(bit.name.removeprefix(p) for p in PREFIXES if bit.name.startswith(p)) for bit in Feature}
NAMES[Feature.VHOST_NET_F_VIRTIO_NET_HDR] = "VHOST_NET_HDR"
"""Short names by bit: MRG_RXBUF for VIRTIO_NET_F_MRG_RXBUF, bit 15 [virtio v1.3 5.1.3, 6]."""


def bits_of(word: int) -> list[int]:
    """Numbers of the bits that are set, lowest first."""
    return [bit for bit in range(word.bit_length()) if word >> bit & 1]


def name_of(bit: int) -> str:
    """The bit's short name, ``bit 63`` where there is none."""
    return NAMES.get(bit, f"bit {bit}")


def feature_words(word: int) -> str:
    """Names of the bits set, highest first."""
    return ", ".join(name_of(bit) for bit in reversed(bits_of(word)))
