"""Which device and which port this machine allows, and why not a better one."""

from __future__ import annotations

import os
import threading

import msgspec

from tour.device.contract import VhostDevice
from tour.errors import CapabilityMissing, UsageError
from tour.net.port import Port, open_port
from tour.trace.recorder import Recorder

KINDS = ("auto", "kernel", "embedded")


class Chosen(msgspec.Struct):
    """What a scene is built from. ``device`` names the kind; ``why_not_kernel`` is empty where it is the kernel."""

    device: str
    port: Port
    why_not_kernel: str = ""

    def make_device(self, recorder: Recorder, baton: threading.Lock) -> VhostDevice:
        """A fresh device of the chosen kind."""
        if self.device == "kernel":
            from tour.device.kernel import KernelDevice

            return KernelDevice(recorder)
        from tour.device.embedded import EmbeddedDevice

        return EmbeddedDevice(recorder, baton=baton)


def choose(wanted: str, recorder: Recorder) -> Chosen:
    """The kernel's vhost-net if it can be opened and has a tap to drive, else the embedded device.

    Raises CapabilityMissing when a wanted device is not to be had, UsageError for an unknown name.
    """
    if wanted not in KINDS:
        raise UsageError(f"There is no device '{wanted}'.", f"Choose one of {', '.join(KINDS)}, replay.")
    port = open_port(recorder)
    why = _why_not_kernel(port) if wanted in ("auto", "kernel") else None
    if wanted == "kernel" and why is not None:
        port.close()
        raise why
    kernel = wanted in ("auto", "kernel") and why is None
    return Chosen("kernel" if kernel else "embedded", port, str(why or ""))


def _why_not_kernel(port: Port) -> CapabilityMissing | None:
    from tour.device.kernel import open_vhost

    try:
        os.close(open_vhost())
    except CapabilityMissing as missing:
        return missing
    if not port.real:
        return CapabilityMissing("tun", "The kernel's vhost-net needs a tap, and none could be made.", port.why)
    return None
