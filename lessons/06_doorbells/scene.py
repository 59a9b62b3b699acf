"""Lesson 6, doorbells: eventfds made, given to vhost, rung. A function returns the condition it ended on."""

from tour.device.contract import TX
from tour.scene.files import closed, pipe
from tour.scene.nic import Nic


def make(nic: Nic) -> None:
    """Three eventfds for the transmit queue; so far they are only ours."""
    nic.bells[TX].make()
    nic.bells[TX].look()
    nic.watch(TX)


def kick(nic: Nic) -> None:
    """vhost is told which one is the kick."""
    nic.device.set_vring_kick(TX, nic.bells[TX].fds["kick"])


def ring(nic: Nic) -> str:
    """The driver rings it; look until the queue rests."""
    nic.tx.kick()
    return nic.settle(TX)


def again(nic: Nic) -> str:
    """The same once more."""
    nic.tx.kick()
    return nic.settle(TX)


def refuse(nic: Nic) -> str:
    """A pipe is offered as the kick."""
    return nic.attempt(nic.device.set_vring_kick, TX, pipe(nic))


def err(nic: Nic) -> str:
    """vhost is told which one is err."""
    nic.device.set_vring_err(TX, nic.bells[TX].fds["err"])
    return nic.settle(TX)


def call(nic: Nic) -> str:
    """vhost is told which one is the call."""
    nic.device.set_vring_call(TX, nic.bells[TX].fds["call"])
    return nic.settle(TX)


# --- forks ----------------------------------------------------------------------------------------------------


def kick_early(nic: Nic) -> str:
    """The driver rings an eventfd that vhost was not told of."""
    nic.tx.kick()
    return nic.settle(TX)


def ring_early(nic: Nic) -> str:
    """Now vhost is told of it."""
    nic.device.set_vring_kick(TX, nic.bells[TX].fds["kick"])
    return nic.settle(TX)


def again_unbind(nic: Nic) -> None:
    """-1 takes the kick away."""
    nic.device.set_vring_kick(TX, -1)


def refuse_unbind(nic: Nic) -> str:
    """The driver rings all the same."""
    nic.tx.kick()
    return nic.settle(TX)


def refuse_closed(nic: Nic) -> str:
    """A descriptor that is closed again is offered."""
    return nic.attempt(nic.device.set_vring_kick, TX, closed(nic))
