"""The memory table: the one door from a guest physical address (GPA) to an address of ours (HVA).

A descriptor holds a GPA chosen by the other side. It becomes usable only here, after ``[gpa, gpa + size)``
was found whole inside the regions, with no step past 2^64. The same table, packed, is what
VHOST_SET_MEM_TABLE tells the kernel; the walk over adjacent regions follows the kernel's translate_desc()
(drivers/vhost/vhost.c, Linux 6.1).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tour.abi import layouts, native
from tour.errors import GuestMemoryError, MemoryFault

LIMIT = 1 << 64


class Span(NamedTuple):
    """A piece of memory in this process: ``size`` bytes at ``hva``."""

    hva: int
    size: int


@dataclass(frozen=True)
class Region:
    """One region of guest memory: ``size`` bytes at guest address ``gpa``, mapped at ``hva`` in this process,
    backed by file ``fd`` from byte ``offset`` on (fd -1: known by its address only)."""

    gpa: int
    size: int
    hva: int
    fd: int = -1
    offset: int = 0

    @property
    def end(self) -> int:
        """The first guest address past the region."""
        return self.gpa + self.size

    def holds(self, gpa: int) -> bool:
        """Whether the byte at ``gpa`` lies in this region."""
        return self.gpa <= gpa < self.end


class MemoryTable:
    """All regions a device may touch, and the translation. It never changes: a new table replaces it.

    Regions are not required to be sane (the kernel takes overlapping ones too): where two overlap, the one with
    the lower start wins, of equal starts the one told first, as in the kernel's tree of ranges
    (vhost_iotlb_itree_first(), drivers/vhost/iotlb.c@6.1). No lookup ever leaves the region it found.
    """

    def __init__(self, regions: Iterable[Region]) -> None:
        self.regions = tuple(regions)
        self._sorted = sorted(self.regions, key=lambda region: region.gpa)
        self._starts = [region.gpa for region in self._sorted]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryTable) and self.regions == other.regions

    def __hash__(self) -> int:
        return hash(self.regions)

    def region_of(self, gpa: int) -> Region | None:
        """The region that holds the byte at ``gpa``."""
        at = bisect_right(self._starts, gpa)
        return next((region for region in self._sorted[:at] if region.holds(gpa)), None)

    def spans(self, gpa: int, size: int) -> list[Span]:
        """Where ``[gpa, gpa + size)`` lies in this process: one span for each region it touches.

        A range may run from one region into the next when no byte is missing between them. Size 0 gives
        no span. Raises GuestMemoryError (OVERFLOW, UNMAPPED or CROSSES_END) unless every byte is there.
        """
        return list(self._walk(gpa, size))

    def _walk(self, gpa: int, size: int) -> Iterator[Span]:
        if gpa < 0 or size < 0 or gpa + size > LIMIT:
            raise GuestMemoryError(MemoryFault.OVERFLOW, gpa, size)
        at, left = gpa, size
        while left:
            region = self.region_of(at)
            if region is None:
                reason = MemoryFault.UNMAPPED if at == gpa else MemoryFault.CROSSES_END
                raise GuestMemoryError(reason, gpa, size)
            here = min(left, region.end - at)
            yield Span(region.hva + at - region.gpa, here)
            at, left = at + here, left - here

    def translate(self, gpa: int, size: int) -> int:
        """The HVA of a range that is in one piece here too, as a ring part must be.

        Raises GuestMemoryError; CROSSES_END also when the regions it spans are not adjacent as HVAs.
        """
        spans = self.spans(gpa, size)
        if not spans:
            raise GuestMemoryError(MemoryFault.UNMAPPED, gpa, size)
        for before, after in zip(spans, spans[1:], strict=False):
            if before.hva + before.size != after.hva:
                raise GuestMemoryError(MemoryFault.CROSSES_END, gpa, size)
        return spans[0].hva

    def to_gpa(self, hva: int, size: int) -> int:
        """The way back: the guest address of an HVA range inside one region (ring addresses are HVAs).

        Raises GuestMemoryError(UNMAPPED) with ``gpa`` set to the HVA when no region holds it whole.
        """
        for region in self.regions:
            if region.hva <= hva and hva + size <= region.hva + region.size:
                return hva - region.hva + region.gpa
        raise GuestMemoryError(MemoryFault.UNMAPPED, hva, size)

    def read(self, gpa: int, size: int) -> bytes:
        """A private copy of guest bytes, each read once. Raises GuestMemoryError."""
        return b"".join(native.peek(span.hva, span.size) for span in self.spans(gpa, size))

    def write(self, gpa: int, data: bytes) -> None:
        """Write guest bytes; all or nothing. Raises GuestMemoryError."""
        done = 0
        for span in self.spans(gpa, len(data)):
            native.poke(span.hva, data[done : done + span.size])
            done += span.size

    def pack(self) -> bytes:
        """struct vhost_memory for VHOST_SET_MEM_TABLE: regions in the order they were given."""
        return layouts.pack_memory(layouts.RegionRow(r.gpa, r.size, r.hva) for r in self.regions)
