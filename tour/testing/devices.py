"""Which devices the suite can be run on, by name."""

from __future__ import annotations

from tour.device.contract import VhostDevice
from tour.testing.case import Factory


def factory(kind: str) -> Factory:
    """A maker of fresh devices of ``kind``: kernel, embedded, or engine, which is the embedded one with its rings
    turned in C. Making one raises CapabilityMissing where there is none."""
    return {"kernel": _kernel, "embedded": _embedded, "engine": _engine}[kind]


def _kernel() -> VhostDevice:
    from tour.device.kernel import KernelDevice

    return KernelDevice()


def _embedded() -> VhostDevice:
    from tour.device.embedded import EmbeddedDevice

    return EmbeddedDevice()


def _engine() -> VhostDevice:
    from tour.device.embedded import EmbeddedDevice

    return EmbeddedDevice(gear="engine")
