"""Which device and which port this machine allows, and why not a better one."""

from __future__ import annotations

import os
import threading
from typing import Literal

import msgspec

from tour.device.contract import VhostDevice
from tour.errors import CapabilityMissing, UsageError
from tour.net.port import Port, open_port
from tour.trace.recorder import Recorder

KINDS = ("auto", "kernel", "embedded", "engine")
"""``engine``: the embedded device with its rings turned in C."""
PortWanted = Literal["open", "tap", "none"]


class Chosen(msgspec.Struct):
    """What a scene is built from. ``device`` names the kind, ``gear`` what turns an embedded one's rings (``python`` or
    ``engine``, '' for others); ``why_not_kernel`` is empty where it is the kernel.
    ``port`` is None for a scene that opens its own later; ``net`` says what it will be: tap, socketpair or none."""

    device: str
    port: Port | None
    net: str
    why_not_kernel: str = ""
    why_not_tap: str = ""
    gear: Literal["", "python", "engine"] = ""

    def make_device(self, recorder: Recorder, baton: threading.Lock) -> VhostDevice:
        """A fresh device of the chosen kind."""
        if self.device == "kernel":
            from tour.device.kernel import KernelDevice

            return KernelDevice(recorder)
        from tour.device.embedded import EmbeddedDevice

        return EmbeddedDevice(recorder, gear=self.gear or "python", baton=baton)


def choose(wanted: str, recorder: Recorder, port: PortWanted = "open") -> Chosen:
    """The kernel's vhost-net if it can be opened (and has a tap to drive, where one is wanted), else the embedded one.

    ``port``: ``open`` one now; ``tap``: the scene will open a tap, so make sure that it can; ``none``: it needs none.
    Raises CapabilityMissing when a wanted device or tap is not to be had, UsageError for an unknown name.
    """
    if wanted not in KINDS:
        raise UsageError(f"There is no device '{wanted}'.", f"Choose one of {', '.join(KINDS)}, replay.")
    opened = open_port(recorder) if port == "open" else None
    if port == "tap":
        open_port(choice="tap").close()
    why = _why_not_kernel(opened) if wanted in ("auto", "kernel") else None
    if wanted == "kernel" and why is not None:
        if opened is not None:
            opened.close()
        raise why
    kernel = wanted in ("auto", "kernel") and why is None
    net = ("tap" if opened.real else "socketpair") if opened else port
    why_not_tap = opened.why if opened else ""
    if kernel:
        return Chosen("kernel", opened, net, "", why_not_tap)
    return Chosen("embedded", opened, net, str(why or ""), why_not_tap, "engine" if wanted == "engine" else "python")


def _why_not_kernel(port: Port | None) -> CapabilityMissing | None:
    from tour.device.kernel import open_vhost

    try:
        os.close(open_vhost())
    except CapabilityMissing as missing:
        return missing
    if port is not None and not port.real:
        return CapabilityMissing("tun", "The kernel's vhost-net needs a tap, and none could be made.", port.why)
    return None
