"""A bench: one device with memory, two rings, doorbells and taps to try it on; all of it gone afterwards.

It must run in a network namespace of its own (``namespace.enter``), never in the machine's.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, RingAddresses, VhostDevice
from tour.memory.dirty import LogBitmap
from tour.memory.guest import GuestMemory, RegionSpec
from tour.memory.table import MemoryTable, Region
from tour.net.file import FilePort
from tour.testing.tap import Tap, Wired

KERNEL_ADDRESS = 0xFFFF_8800_0000_0000
"""An address no process may use [x86-64: above the hole]."""
UNMAPPED = 0x10000
"""An address that processes may map, and ours does not."""
FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
RING_GPA = {RX: 0x0000, TX: 0x8000}
RING_BYTES = 0x8000
BUFFERS = 0x40000
LAYOUT = (RegionSpec(0, 0x20000), RegionSpec(BUFFERS, 0x80000))


class FalseLog(LogBitmap):
    """A dirty log at any address, to see what a device accepts."""

    def __init__(self, hva: int) -> None:
        self.hva, self.size = hva, 8

    def close(self) -> None:
        """Nothing was mapped."""


class Bench:
    """``device`` fresh from its factory; everything a case opens through the bench is closed with it."""

    def __init__(self, factory: Callable[[], VhostDevice]) -> None:
        self._stack = ExitStack()
        self.memory = self._stack.enter_context(GuestMemory(LAYOUT))
        self.device = factory()
        self._stack.callback(self.device.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def table(self) -> MemoryTable:
        """The memory table of the bench's own memory."""
        return self.memory.table

    def region(self, gpa: int, size: int, hva: int | None = None) -> Region:
        """A region of our choice; by default it points at real memory."""
        return Region(gpa, size, self.memory.regions[0].hva if hva is None else hva)

    # --- things to attach ---

    def eventfd(self, count: int = 0) -> int:
        """A new eventfd that does not block."""
        return self.keep(os.eventfd(count, os.EFD_NONBLOCK | os.EFD_CLOEXEC))

    def pipe(self) -> int:
        """The read end of a new pipe."""
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.keep(write)
        return self.keep(read)

    def null(self) -> int:
        """An open /dev/null."""
        return self.keep(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))

    def closed(self) -> int:
        """The number of a descriptor that is not open."""
        fd = os.dup(2)
        os.close(fd)
        return fd

    def socket(self, family: int, kind: int, protocol: int = 0) -> int:
        """The descriptor of a new socket."""
        made = socket.socket(family, kind, protocol)
        self._stack.callback(made.close)
        return made.fileno()

    def tap(self, **how: bool) -> Tap:
        """A new tap in this network namespace, up."""
        return self._stack.enter_context(Tap(**how))

    def wired(self, kind: Callable[[], FilePort]) -> Wired:
        """A port of ``kind``, one of ``tour.net.wired``, with its far end. Raises CapabilityMissing("links")."""
        return self._stack.enter_context(Wired(kind()))

    def log(self) -> LogBitmap:
        """A dirty log for all of the bench's memory."""
        log = LogBitmap(BUFFERS + 0x80000)
        self._stack.callback(log.close)
        return log

    def keep(self, fd: int) -> int:
        """Close ``fd`` with the bench."""
        self._stack.callback(os.close, fd)
        return fd

    # --- set-up, as far as a case wants it ---

    def addresses(self, index: int, *, num: int = 8) -> RingAddresses:
        """Where the bench keeps ring ``index``: descriptors, then avail, then used on a page of its own."""
        base = self.table.translate(RING_GPA[index], RING_BYTES)
        return RingAddresses(base, base + 16 * num, base + 0x4000)

    def owned(self, features: int = FEATURES) -> VhostDevice:
        """The device after set_owner and set_features."""
        self.device.set_owner()
        self.device.set_features(features)
        return self.device

    def ready(self, index: int = TX, num: int = 8, features: int = FEATURES) -> VhostDevice:
        """The device with memory and ring ``index`` told, all but the backend socket."""
        device = self.owned(features)
        device.set_mem_table(self.table)
        device.set_vring_num(index, num)
        device.set_vring_base(index, 0)
        device.set_vring_addr(index, self.addresses(index, num=num))
        return device

    def running(self, index: int = TX, features: int = FEATURES) -> VhostDevice:
        """The device with ring ``index`` attached to a tap of its own."""
        device = self.ready(index, features=features)
        device.net_set_backend(index, self.tap().fd)
        return device
