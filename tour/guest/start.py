"""Bring a guest up, whatever kind it is, and try again when a boot got stuck."""

from __future__ import annotations

from collections.abc import Callable

from tour.errors import AgentLost, TimedOut
from tour.guest import qemu, uml
from tour.guest.machine import Guest, Progress, silent
from tour.guest.shape import Boot, Shape
from tour.lab import accelerator

KINDS = ("uml", "qemu")
ATTEMPTS = 3


def start(
    kind: str,
    shape: Shape,
    *,
    machine: str = "microvm",
    kernel: str = "",
    progress: Progress = silent,
    alarm: Callable[[], None] = lambda: None,
) -> Guest:
    """A guest that is up: an address on its card, ready for commands (or its console for a person).

    ``machine`` and ``kernel`` are QEMU's (see ``qemu.boot``); ``alarm`` is called now and then while the guest is
    waited for, and may raise. Raises CapabilityMissing naming the packages that lack, UsageError, AgentLost, TimedOut.
    """
    for attempt in range(1, ATTEMPTS + 1):
        boot = uml.boot(shape) if kind == "uml" else qemu.boot(shape, machine, kernel)
        guest = Guest(boot, progress, alarm)
        try:
            guest.come_up("ready" if shape.serve else "up")
            return guest
        except (AgentLost, TimedOut) as error:
            guest.close()
            if attempt == ATTEMPTS or not _worth_another(boot, error):
                raise
        except BaseException:
            guest.close()
            raise
    raise AssertionError("the last attempt returns or raises")


def _worth_another(boot: Boot, error: AgentLost | TimedOut) -> bool:
    """KVM that does not work is remembered; an emulated boot that fell silent may come up the next time."""
    if boot.accelerator == "kvm":
        accelerator.kvm_failed()
        return True
    return boot.accelerator == "tcg" and isinstance(error, TimedOut)
