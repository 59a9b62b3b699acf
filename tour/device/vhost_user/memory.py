"""Guest memory by descriptors: each region is a piece of a file that the front end hands over, mapped here.

Every number of a region is checked before anything is mapped. Besides the guest's addresses the front end uses its
own (user addresses) for where rings lie; here they become HVAs, addresses of this process.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tour.abi import native
from tour.abi import vhost_user as abi
from tour.abi.names import VHOST_PAGE_SIZE
from tour.errors import MessageError, MessageFault
from tour.memory.dirty import LogBitmap
from tour.memory.table import LIMIT, MemoryTable, Region

PAGE = 4096


class Told(NamedTuple):
    """A region as the message has it: ``user`` is its address in the front end, ``offset`` where it begins in its
    file."""

    gpa: int
    size: int
    user: int
    offset: int


@dataclass(frozen=True)
class _Mapping:
    told: Told
    pages: mmap.mmap
    hva: int


class SharedMemory:
    """The regions ``told``, each mapped from its descriptor; the descriptors stay the caller's.

    ``table`` is what a device is given. Raises MessageError (REGION*), with nothing left mapped. Close it only when no
    ring uses it any more.
    """

    def __init__(self, told: Sequence[Told], fds: Sequence[int]) -> None:
        check_regions(told)
        if len(told) != len(fds):
            raise MessageError(MessageFault.FDS, len(fds))
        self._mappings: list[_Mapping] = []
        try:
            for region, fd in zip(told, fds, strict=True):
                self._mappings.append(_map(region, fd))
        except BaseException:
            self.close()
            raise
        self.table = MemoryTable([Region(one.told.gpa, one.told.size, one.hva) for one in self._mappings])

    @property
    def regions(self) -> list[tuple[Told, int]]:
        """The regions as told, and where each lies here."""
        return [(one.told, one.hva) for one in self._mappings]

    @property
    def end(self) -> int:
        """The first guest address past all regions."""
        return max(one.told.gpa + one.told.size for one in self._mappings)

    def to_hva(self, user: int, size: int) -> int:
        """Where ``[user, user + size)`` lies here; it must be in one region. Raises MessageError(RING_ADDRESS)."""
        for one in self._mappings:
            if one.told.user <= user and user + size <= one.told.user + one.told.size:
                return one.hva + user - one.told.user
        raise MessageError(MessageFault.RING_ADDRESS, user)

    def close(self) -> None:
        """Unmap all. May be called twice."""
        while self._mappings:
            self._mappings.pop().pages.close()


def check_regions(told: Sequence[Told]) -> None:
    """Raise MessageError unless the regions can be: 1 to 8, whole pages, inside 2^64, apart from each other."""
    if not 1 <= len(told) <= abi.REGIONS_MAX:
        raise MessageError(MessageFault.REGIONS, len(told))
    for one in told:
        if one.size == 0:
            raise MessageError(MessageFault.REGION_EMPTY, one.gpa)
        if max(one.gpa, one.user, one.offset) + one.size > LIMIT:
            raise MessageError(MessageFault.REGION_WRAPS, max(one.gpa, one.user, one.offset))
        if any(number % PAGE for number in one):
            raise MessageError(MessageFault.REGION_ALIGN, next(number for number in one if number % PAGE))
    _check_apart([(one.gpa, one.size) for one in told])
    _check_apart([(one.user, one.size) for one in told])


def _check_apart(ranges: list[tuple[int, int]]) -> None:
    ranges.sort()
    for (low, size), (high, _) in zip(ranges, ranges[1:], strict=False):
        if low + size > high:
            raise MessageError(MessageFault.REGION_OVERLAP, high)


def _map(told: Told, fd: int) -> _Mapping:
    # A file of huge pages maps, and is unmapped, in multiples of its own page size, which it gives as its block size.
    block, file_size = _check_file(fd, told.offset + told.size)
    start = told.offset - told.offset % block
    end = told.offset + told.size
    end = min(end + -end % block, file_size)
    try:
        pages = mmap.mmap(fd, end - start, offset=start)
    except (OSError, ValueError, OverflowError) as error:
        raise MessageError(MessageFault.REGION_MAP, told.offset) from error
    return _Mapping(told, pages, native.address_of(pages) + told.offset - start)


def _check_file(fd: int, end: int) -> tuple[int, int]:
    """The file's block size and its size. Raises MessageError: REGION_MAP for what is no file, REGION_FILE when it
    is shorter than ``end``."""
    seen = os.fstat(fd)
    if not stat.S_ISREG(seen.st_mode):
        raise MessageError(MessageFault.REGION_MAP, fd)
    if end > seen.st_size:
        raise MessageError(MessageFault.REGION_FILE, end)
    block = seen.st_blksize
    return block if block > PAGE and not block & (block - 1) else PAGE, seen.st_size


class SharedLog(LogBitmap):
    """The dirty log in a piece of the front end's file: ``size`` bytes from ``offset`` on."""

    def __init__(self, fd: int, size: int, offset: int) -> None:
        """Maps it. Raises MessageError: REGION_FILE, REGION_MAP, LOG_SIZE for an empty one."""
        if size == 0:
            raise MessageError(MessageFault.LOG_SIZE, size)
        _check_file(fd, offset + size)
        start = offset - offset % PAGE
        try:
            self._mapping = mmap.mmap(fd, offset + size - start, offset=start)
        except (OSError, ValueError, OverflowError) as error:
            raise MessageError(MessageFault.REGION_MAP, offset) from error
        self._skip = offset - start
        self.fd = -1
        self.size = size
        self.hva = native.address_of(self._mapping) + self._skip

    def test(self, gpa: int) -> bool:
        """See :meth:`LogBitmap.test`."""
        (page,) = self._pages(gpa, 1)
        return bool(self._mapping[self._skip + page // 8] >> page % 8 & 1)

    def covers(self, end: int) -> bool:
        """Whether every guest page below ``end`` has its bit."""
        return -(-end // VHOST_PAGE_SIZE) <= self.size * 8
