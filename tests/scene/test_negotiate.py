"""Three feature words and what of them vhost is told."""

from __future__ import annotations

import pytest

from tour.abi.names import Feature, word_of
from tour.device.embedded.device import OFFERED
from tour.scene import negotiate

KERNELS = {"6.1": 0x33D008000, "6.12": 0x1033D008000, "7.3": 0x10B3D008000, "embedded": OFFERED}


@pytest.mark.parametrize("offered", KERNELS.values(), ids=KERNELS.keys())
def test_every_kernel_leads_to_the_same_words(offered: int) -> None:
    device = negotiate.device_word(offered)
    assert device == negotiate.RINGS | negotiate.TAP | negotiate.CARD
    assert negotiate.DRIVER & device == negotiate.DRIVER
    assert negotiate.vhost_part(negotiate.DRIVER, offered) == negotiate.FEATURES


def test_a_device_offers_of_rings_only_what_vhost_can() -> None:
    without = OFFERED & ~Feature.VIRTIO_RING_F_EVENT_IDX.mask
    assert not Feature.VIRTIO_RING_F_EVENT_IDX.on(negotiate.device_word(without))
    assert Feature.VIRTIO_NET_F_MAC.on(negotiate.device_word(0))


def test_bits_between_qemu_and_vhost_are_never_offered() -> None:
    own = word_of(Feature.VHOST_F_LOG_ALL, Feature.VHOST_NET_F_VIRTIO_NET_HDR)
    assert negotiate.device_word((1 << 64) - 1) & own == 0
