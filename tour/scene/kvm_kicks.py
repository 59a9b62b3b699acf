"""A guest in KVM that does nothing but kick: its program writes to the notify port, then sleeps; we count.

It lies in the memory that vhost works in. Descriptors and indices are the learner's here.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from tour.device.contract import TX
from tour.errors import TimedOut
from tour.kvm.controller import Controller
from tour.kvm.guests import NOTIFY_PORT, notifier
from tour.kvm.machine import Machine
from tour.scene.nic import Nic
from tour.trace import events as ev

POLL_SECONDS = 0.002
PATIENCE = 20.0
TOLD = 1
"""How many returns of a run are told one by one; the others are alike, and counted."""


class Counts(NamedTuple):
    """Of one run: returns of KVM_RUN to us; exits of the processor (None: not told by this kernel)."""

    returns: int
    exits: int | None


class Kicks:
    """The guest on ``nic``'s memory, its program there, its notify port so far nobody's.

    Raises CapabilityMissing("kvm"), OSError.
    """

    def __init__(self, nic: Nic) -> None:
        self.nic = nic
        self.machine = nic.stack.enter_context(Machine(nic.memory, nic.recorder))
        self._controller = Controller(self.machine)
        self._value: int | None = None
        self.rung = 0
        """How often our own process wrote the kick eventfd."""
        self.machine.load(notifier(1, TX))
        self.machine.tell()

    def bind(self, value: int | None) -> None:
        """Make the notify port an ioeventfd: the transmit queue's kick, for ``value`` or for any (None)."""
        self.machine.ioeventfd(self.nic.bells[TX].fds["kick"], NOTIFY_PORT, value)
        self._value = value

    def unbind(self) -> None:
        """Take it back, named by the same port, size and value as it was given."""
        self.machine.ioeventfd(self.nic.bells[TX].fds["kick"], NOTIFY_PORT, self._value, on=False)

    def run(self, times: int = 1, value: int = TX) -> Counts:
        """Let the guest write ``value`` so often; look when it sleeps and the queue rests. Raises TimedOut, OSError."""
        machine = self.machine
        returns, exits = machine.returns, machine.statistics.read().get("exits")
        machine.load(notifier(times, value))
        machine.start(TOLD)
        self._until_asleep()
        machine.stop()
        machine.tell()
        self.nic.settle(TX)
        self.nic.bells[TX].look()
        now = machine.statistics.read().get("exits")
        return Counts(machine.returns - returns, None if now is None or exits is None else now - exits)

    def ring(self, told: ev.Exit) -> None:
        """As a process does that has no ioeventfd: KVM_RUN came back with a write to the notify port, so ring."""
        if told.port == NOTIFY_PORT:
            os.eventfd_write(self.nic.bells[TX].fds["kick"], 1)
            self.rung += 1

    def _until_asleep(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._controller.idle():
            if time.monotonic() > until:
                raise TimedOut(f"The guest was still busy after {PATIENCE:g} seconds.")
            time.sleep(POLL_SECONDS)
