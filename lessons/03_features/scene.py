"""Lesson 3, features: what really happens at each step. A function returns the condition it ended on."""

from tour.abi.names import Feature
from tour.scene.negotiate import DRIVER, FEATURES
from tour.scene.nic import Nic

EVERYTHING = (1 << 64) - 1
LEGACY = DRIVER & ~FEATURES
"""A driver of before virtio 1.0 that knows no mergeable buffers either."""
LOG_ALL = Feature.VHOST_F_LOG_ALL.mask


def ask(nic: Nic) -> None:
    """vhost's word."""
    nic.ask()


def offer(nic: Nic) -> None:
    """The device's word."""
    nic.offer()


def choose(nic: Nic) -> None:
    """The driver's word."""
    nic.acknowledge()


def choose_everything(nic: Nic) -> None:
    """A driver that wants all it is offered."""
    nic.acknowledge(EVERYTHING)


def choose_legacy(nic: Nic) -> None:
    """A driver that takes neither VERSION_1 nor MRG_RXBUF."""
    nic.acknowledge(LEGACY)


def whole(nic: Nic) -> str:
    """vhost is told the driver's word as it is."""
    return nic.attempt(nic.device.set_features, nic.driver_word)


def part(nic: Nic) -> str:
    """vhost is told what of it is vhost's."""
    return nic.attempt(nic.device.set_features, nic.vhost_features)


def log(nic: Nic) -> str:
    """The same once more, with a bit that no driver sees."""
    return nic.attempt(nic.device.set_features, nic.vhost_features | LOG_ALL)


def off(nic: Nic) -> str:
    """And without it again."""
    return nic.attempt(nic.device.set_features, nic.vhost_features)
