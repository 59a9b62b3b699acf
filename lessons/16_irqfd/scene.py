"""Lesson 16, irqfd: what really happens at each step. A function returns the condition it ended on."""

import os

from tour.device.contract import TX
from tour.scene.kvm_alone import send_alone
from tour.scene.kvm_guest import KvmGuest
from tour.scene.nic import Nic

KICKS = 100


def prepare(nic: Nic) -> None:
    """A guest stands ready: its program in its memory, the notify port an ioeventfd, in its first wait."""
    nic.own.guest = KvmGuest(nic)
    nic.own.guest.begin()


def give(nic: Nic) -> None:
    """The eventfd that vhost calls by is given to KVM as well."""
    nic.own.guest.listen()


def give_other(nic: Nic) -> None:
    """KVM is given an eventfd that vhost does not have."""
    other = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    nic.stack.callback(os.close, other)
    nic.own.guest.listen(other)


def write(nic: Nic) -> str:
    """The guest fills a descriptor and an entry, and publishes."""
    return nic.own.guest.press()


def kick(nic: Nic) -> str:
    """The guest kicks by an out; its interrupt controller holds line 5 back."""
    return nic.own.guest.press()


def unmask(nic: Nic) -> str:
    """The guest lets line 5 through."""
    return nic.own.guest.press()


def reap(nic: Nic) -> str:
    """The guest looks into the used ring."""
    return nic.own.guest.press()


def reap_other(nic: Nic) -> str:
    """What a program does that has no irqfd: read the eventfd, raise the line itself. Then the guest looks."""
    by_hand(nic)
    return nic.own.guest.press()


def two(nic: Nic) -> str:
    """Line 5 masked; two frames, each kicked for itself; then the line is let through."""
    return two_frames(nic, heard=True)


def two_other(nic: Nic) -> str:
    """The same without irqfd, its part done by hand before the line is let through."""
    return two_frames(nic, heard=False)


def loop(nic: Nic) -> None:
    """A hundred kicks without us, on a queue pair beside this one."""
    found = send_alone(nic.chosen, KICKS)
    for name in ("kicks", "reaped", "handled", "returns"):
        nic.figure(f"loop.{name}", getattr(found, name))
    if found.exits is not None:
        nic.figure("loop.exits", found.exits)


def two_frames(nic: Nic, *, heard: bool) -> str:
    """Four keys: publish, kick, publish, kick; a fifth lets the interrupt through and reaps."""
    guest = nic.own.guest
    for _ in range(4):
        guest.press()
    if not heard:
        by_hand(nic)
    return guest.press()


def by_hand(nic: Nic) -> None:
    """Our own process reads the call eventfd and pulses line 5."""
    if nic.bells[TX].drain_call():
        nic.own.guest.interrupt()
