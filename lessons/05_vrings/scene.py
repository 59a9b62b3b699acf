"""Lesson 5, vrings: size, place, base and addresses of the transmit queue, told rightly and wrongly."""

from dataclasses import replace

from tour.device.contract import TX, RingAddresses
from tour.errors import CapabilityMissing
from tour.scene.nic import Nic
from tour.virtqueue.layout import RingLayout


def three(nic: Nic) -> str:
    """A size that is no power of two."""
    return nic.attempt(nic.device.set_vring_num, TX, 3)


def three_too_large(nic: Nic) -> str:
    """A power of two, and too large."""
    return nic.attempt(nic.device.set_vring_num, TX, 65536)


def eight(nic: Nic) -> None:
    """The size of the transmit queue."""
    nic.device.set_vring_num(TX, nic.plan.num)


def place(nic: Nic) -> None:
    """You, as guest: the driver lays its tables out in guest memory."""
    nic.place_rings()


def base(nic: Nic) -> None:
    """Which entry of the available ring is to be read first."""
    nic.device.set_vring_base(TX, nic.plan.base)


def addr(nic: Nic) -> None:
    """Where the three tables lie: HVAs."""
    hva = _addresses(nic.rings[TX].hva)
    nic.device.set_vring_addr(TX, hva)


def addr_gpa(nic: Nic) -> str:
    """The same, with the numbers that the guest uses."""
    gpa = _addresses(nic.rings[TX].gpa)
    return nic.attempt(nic.device.set_vring_addr, TX, gpa)


def odd(nic: Nic) -> str:
    """The used ring 2 bytes further on."""
    right = _addresses(nic.rings[TX].hva)
    moved = replace(right, used=right.used + 2)
    return nic.attempt(nic.device.set_vring_addr, TX, moved)


def odd_table(nic: Nic) -> str:
    """The descriptor table 2 bytes further on."""
    right = _addresses(nic.rings[TX].hva)
    moved = replace(right, desc=right.desc + 2)
    return nic.attempt(nic.device.set_vring_addr, TX, moved)


def odd_gpa(nic: Nic) -> str:
    """Try to attach the ring whose addresses are GPAs."""
    return _attach(nic)


def second(nic: Nic) -> str:
    """A ring there is none of."""
    return nic.attempt(nic.device.set_vring_num, 2, nic.plan.num)


def second_gpa(nic: Nic) -> None:
    """The right addresses."""
    addr(nic)


def read(nic: Nic) -> None:
    """Read the base back."""
    nic.device.get_vring_base(TX)


def read_gpa(nic: Nic) -> str:
    """Try to attach the ring again."""
    return _attach(nic)


def _addresses(place: RingLayout) -> RingAddresses:
    return RingAddresses(place.desc, place.avail, place.used)


def _attach(nic: Nic) -> str:
    """Give the transmit queue its backend socket. Raises CapabilityMissing where the kernel can have no tap."""
    nic.open_port()
    if nic.device.kind == "kernel" and not nic.port.real:
        raise CapabilityMissing("tun", "The kernel's vhost-net needs a tap, and none could be made.", nic.port.why)
    ended = nic.attempt(nic.device.start, TX, nic.port)
    if ended == "done":
        nic.watch(TX)
        ended = nic.settle(TX)
    return ended
