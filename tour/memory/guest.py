"""Guest memory: what a virtual machine's RAM is to its device, regions of shared pages with a hole between.

Each region is a memfd mapped shared into this process, as QEMU's memory-backend-memfd is, so that another
process (a vhost-user back-end) can be handed the same pages. The kernel's vhost-net is told addresses only.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

from tour.abi import native
from tour.abi.libc import map_over
from tour.memory.table import MemoryTable, Region, Span

PAGE = 4096


class RegionSpec(NamedTuple):
    """What is wanted: ``size`` bytes of guest memory at guest physical address ``gpa``, both in pages."""

    gpa: int
    size: int


class GuestMemory:
    """Regions of guest memory, mapped here; a context manager.

    Stop every device before :meth:`close`: an HVA is only a number, and nothing keeps the pages there.
    Raises ValueError for a region that is empty, unaligned or overlaps another, OSError when memory is short.
    """

    def __init__(self, layout: Iterable[tuple[int, int]]) -> None:
        wanted = [RegionSpec(*spec) for spec in layout]
        _check(wanted)
        self._maps: list[mmap.mmap] = []
        self._fds: list[int] = []
        self.table = MemoryTable(())
        try:
            for spec in wanted:
                self.add(spec)
        except BaseException:
            self.close()
            raise

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions, in the order they were mapped."""
        return self.table.regions

    def add(self, spec: RegionSpec) -> Region:
        """Map one region more; the table is replaced by one that has it too. Raises as the constructor does."""
        _check([*(RegionSpec(region.gpa, region.size) for region in self.regions), spec])
        region = self._map(spec)
        self.table = MemoryTable((*self.regions, region))
        return region

    def _map(self, spec: RegionSpec) -> Region:
        fd = os.memfd_create(f"guest-{spec.gpa:#x}", os.MFD_CLOEXEC)
        self._fds.append(fd)
        os.ftruncate(fd, spec.size)
        pages = mmap.mmap(fd, spec.size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._maps.append(pages)
        return Region(spec.gpa, spec.size, native.address_of(pages), fd, 0)

    def translate(self, gpa: int, size: int) -> int:
        """See :meth:`MemoryTable.translate`."""
        return self.table.translate(gpa, size)

    def spans(self, gpa: int, size: int) -> list[Span]:
        """See :meth:`MemoryTable.spans`."""
        return self.table.spans(gpa, size)

    def read(self, gpa: int, size: int) -> bytes:
        """A copy of ``size`` bytes at ``gpa``. Raises GuestMemoryError."""
        return self.table.read(gpa, size)

    def view(self, gpa: int, size: int) -> memoryview:
        """The bytes at ``gpa`` themselves, no copy; let go of it before :meth:`close`. Raises GuestMemoryError."""
        hva = self.table.translate(gpa, size)
        region = self._region(hva)
        at = hva - region.hva
        return memoryview(self._maps[self.regions.index(region)])[at : at + size]

    def write(self, gpa: int, data: bytes) -> None:
        """Write ``data`` at ``gpa``. Raises GuestMemoryError and then writes nothing."""
        self.table.write(gpa, data)

    def cover(self, gpa: int) -> None:
        """Put a fresh page of zeros over the one of ``gpa`` in this process's address space: its HVA leads to that page
        now, while the memfd keeps its bytes. ``uncover`` takes it away. Raises GuestMemoryError, OSError."""
        map_over(self.table.translate(gpa & -PAGE, PAGE), PAGE)

    def uncover(self, gpa: int) -> None:
        """Map the region's own page there again. Raises GuestMemoryError, OSError."""
        hva = self.table.translate(gpa & -PAGE, PAGE)
        region = self._region(hva)
        map_over(hva, PAGE, region.fd, region.offset + hva - region.hva)

    def kept(self, gpa: int, size: int) -> bytes:
        """The bytes of the memfd itself at ``gpa``, whatever lies at their HVA. Raises GuestMemoryError."""
        hva = self.table.translate(gpa, size)
        region = self._region(hva)
        return os.pread(region.fd, size, region.offset + hva - region.hva)

    def _region(self, hva: int) -> Region:
        return next(one for one in self.regions if one.hva <= hva < one.hva + one.size)

    def fill(self, gpa: int, size: int, value: int = 0) -> None:
        """Set ``size`` bytes at ``gpa`` to ``value``. Raises GuestMemoryError."""
        self.table.write(gpa, bytes([value]) * size)

    def load(self, images: Iterable[tuple[int, bytes]]) -> None:
        """Put back saved pieces (gpa, bytes), as a fork does."""
        for gpa, data in images:
            self.write(gpa, data)

    def save(self) -> list[tuple[int, bytes]]:
        """Every region's bytes as (gpa, bytes), for :meth:`load` into memory of the same shape."""
        return [(region.gpa, self.read(region.gpa, region.size)) for region in self.regions]

    def close(self) -> None:
        """Unmap and close everything. May be called twice."""
        while self._maps:
            self._maps.pop().close()
        while self._fds:
            os.close(self._fds.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check(specs: list[RegionSpec]) -> None:
    """Our own memory has a sane shape; what a memory table of others says is checked at each use."""
    for spec in specs:
        if spec.size <= 0 or spec.gpa < 0 or spec.gpa % PAGE or spec.size % PAGE or spec.gpa + spec.size > 1 << 64:
            raise ValueError(f"region {spec.gpa:#x}+{spec.size:#x} is not whole pages inside 2^64")
    ordered = sorted(specs)
    for low, high in zip(ordered, ordered[1:], strict=False):
        if low.gpa + low.size > high.gpa:
            raise ValueError(f"regions {low.gpa:#x} and {high.gpa:#x} overlap")
