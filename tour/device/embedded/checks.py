"""What the kernel accepts and which errno it gives otherwise, mirrored (drivers/vhost/vhost.c@6.1).

vhost looks at numbers, not at pages: an address passes when a process *could* have it (access_ok), mapped or
not. Whether something is there shows only when it is touched.
"""

from __future__ import annotations

import errno
import os
from functools import cache

from tour.abi import native
from tour.abi.names import VHOST_PAGE_SIZE, VHOST_VRING_F_LOG
from tour.device.contract import RingAddresses
from tour.memory.table import MemoryTable, Region
from tour.virtqueue.layout import AVAIL_ALIGN, USED_ALIGN, RingLayout

TASK_SIZE = (1 << 47) - 4096
"""End of a process's address space (x86-64 with 4 page levels; aarch64 allows more, nothing lies there)."""
ULONG_MAX = (1 << 64) - 1
PIECE = 1 << 16
MAX_REGIONS = 64
"""Module parameter max_mem_regions of vhost, default."""


def refuse(code: int, what: str) -> OSError:
    """The OSError for ``code``, ready to be raised."""
    return OSError(code, f"{what}: {os.strerror(code)}")


def access_ok(hva: int, size: int) -> bool:
    """Whether ``[hva, hva + size)`` lies below the end of what processes may have."""
    return size <= TASK_SIZE and 0 <= hva <= TASK_SIZE - size


def log_access_ok(log: int, gpa: int, size: int) -> bool:
    """Whether the dirty log at ``log`` could note ``[gpa, gpa + size)`` (log_access_ok)."""
    at = gpa // VHOST_PAGE_SIZE // 8
    if at + log > ULONG_MAX:
        return False
    # The sum is one of the kernel's 64-bit sums: it wraps for a region that is nearly everything.
    length = ((size + VHOST_PAGE_SIZE * 8 - 1) & ULONG_MAX) // VHOST_PAGE_SIZE // 8
    return access_ok(log + at, length)


def table_access_ok(table: MemoryTable | None, log: int, *, log_all: bool) -> bool:
    """Whether a running ring can live with ``table`` (vq_memory_access_ok)."""
    if table is None:
        return False
    return all(
        access_ok(region.hva, region.size) and (not log_all or log_access_ok(log, region.gpa, region.size))
        for region in table.regions
    )


def kernel_table(table: MemoryTable) -> MemoryTable:
    """The table as vhost_set_memory and vhost_iotlb_add_range take it up.

    Raises OSError: E2BIG above 64 regions, EFAULT for a region that is empty or runs over 2^64. An empty
    region at 0 ends at 2^64 - 1 in the kernel's arithmetic and so means everything, kept as two halves.
    """
    if len(table.regions) > MAX_REGIONS:
        raise refuse(errno.E2BIG, f"{len(table.regions)} regions")
    taken: list[Region] = []
    for region in table.regions:
        if region.gpa == 0 and region.size == 0:
            half = 1 << 63
            taken += [Region(0, half, region.hva), Region(half, half, (region.hva + half) & ULONG_MAX)]
        elif region.size == 0 or region.gpa + region.size - 1 > ULONG_MAX:
            raise refuse(errno.EFAULT, f"region {region.gpa:#x}+{region.size:#x}")
        else:
            taken.append(region)
    return MemoryTable(taken)


def check_num(num: int) -> None:
    """Raise EINVAL unless ``num`` is a power of two up to 32768 (vhost_vring_set_num)."""
    if not 0 < num <= 0xFFFF or num & (num - 1):
        raise refuse(errno.EINVAL, f"ring size {num}")


def check_addresses(where: RingAddresses) -> None:
    """Flags and alignment of set_vring_addr: EOPNOTSUPP, EINVAL. Any descriptor alignment will do."""
    if where.flags & ~(1 << VHOST_VRING_F_LOG):
        raise refuse(errno.EOPNOTSUPP, f"flags {where.flags:#x}")
    misaligned = where.avail % AVAIL_ALIGN or where.used % USED_ALIGN or where.log_gpa % USED_ALIGN
    if misaligned:
        raise refuse(errno.EINVAL, "misaligned ring address")


def ring_access_ok(place: RingLayout, *, event_idx: bool) -> bool:
    """Whether a ring may lie at these HVAs (vq_access_ok); the event words count when they are used."""
    spare = 0 if event_idx else 2
    return (
        access_ok(place.desc, place.desc_size)
        and access_ok(place.avail, place.avail_size - spare)
        and access_ok(place.used, place.used_size - spare)
    )


def copy(hva: int, size: int) -> bytes:
    """These bytes, each read once, as copy_from_user would. Raises OSError EFAULT where nothing is mapped."""
    if _may_look():
        return native.copy_in(hva, size)
    if not _mapped(hva, size, "r"):
        raise refuse(errno.EFAULT, f"{hva:#x}+{size:#x}")
    return native.peek(hva, size)


@cache
def _may_look() -> bool:
    """Whether process_vm_readv is allowed on ourselves; some container filters forbid it."""
    page = bytearray(8)
    try:
        native.copy_in(native.address_of(page), len(page))
    except OSError:
        return False
    return True


def readable(hva: int, size: int) -> bool:
    """Whether these bytes are mapped; looked at piece by piece, as ``size`` may be anything."""
    try:
        for at in range(0, size, PIECE):
            copy(hva + at, min(PIECE, size - at))
    except OSError:
        return False
    return True


def writable(hva: int, size: int) -> bool:
    """Whether these bytes are mapped for writing."""
    return _mapped(hva, size, "w")


def _mapped(hva: int, size: int, right: str) -> bool:
    """Whether /proc/self/maps has every byte with that right, ``r`` or ``w``."""
    end = hva + size
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            span, rights, _ = line.split(maxsplit=2)
            low, high = (int(text, 16) for text in span.split("-"))
            if low <= hva < high and right in rights:
                hva = high
            if hva >= end:
                return True
    return False
