"""What an observer of a port hands over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SeenFrame:
    """A frame that passed a port, without its virtio_net_hdr: ``direction`` is ``out`` (from the guest) or ``in``;
    ``t`` when, in ns of the monotonic clock (from the kernel's own time stamp where a kernel saw it)."""

    direction: str
    frame: bytes
    t: int
