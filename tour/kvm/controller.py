"""A machine's interrupt controller, which lives in the kernel: a line set by us, what it holds, whether one waits."""

from __future__ import annotations

import fcntl

from tour.abi import kvm
from tour.abi.kvm import KvmIoctl
from tour.kvm.machine import Machine


class Controller:
    """Lines 0 to 7 of ``machine``. Asking changes nothing, so it is not told."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def pulse(self, line: int) -> None:
        """Raise that line and let it fall again: an interrupt by two calls of ours. Raises OSError."""
        for level in (1, 0):
            self.machine.call(KvmIoctl.KVM_IRQ_LINE, kvm.IRQ_LEVEL.pack(line, level))

    def pending(self, line: int) -> bool:
        """Whether that line asked and its interrupt was not delivered yet."""
        return bool(self._state()["irr"] >> line & 1)

    def masked(self, line: int) -> bool:
        """Whether the guest holds that line back."""
        return bool(self._state()["imr"] >> line & 1)

    def _state(self) -> dict[str, int]:
        raw = bytearray(kvm.IRQCHIP_SIZE)
        fcntl.ioctl(self.machine.fd, KvmIoctl.KVM_GET_IRQCHIP, raw)
        return kvm.PIC.unpack(bytes(raw))

    def idle(self) -> bool:
        """Whether the processor sleeps in ``hlt``, as KVM's statistics say (from Linux 5.16 on)."""
        return self.machine.statistics.read().get("blocking") == 1
