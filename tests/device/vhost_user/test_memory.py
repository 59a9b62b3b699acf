"""Regions by descriptor: where they lie in their files, what is mapped, what is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import require
from tour.abi import native
from tour.device.vhost_user.memory import SharedLog, SharedMemory, Told
from tour.errors import MessageError, MessageFault

PAGE = 4096


@pytest.fixture
def fd() -> Iterator[int]:
    require("embedded")
    fd = os.memfd_create("guest")
    os.ftruncate(fd, 64 * PAGE)
    yield fd
    os.close(fd)


def mappings() -> int:
    return sum("memfd:guest" in line for line in Path("/proc/self/maps").read_text().splitlines())


def test_a_region_begins_at_its_offset(fd: int) -> None:
    os.pwrite(fd, b"here", 7 * PAGE + 16)
    memory = SharedMemory([Told(0x100000, 4 * PAGE, 0x7000_0000, 7 * PAGE)], [fd])
    assert memory.table.read(0x100010, 4) == b"here"
    assert memory.to_hva(0x7000_0010, 4) == memory.table.translate(0x100010, 4)
    assert memory.end == 0x100000 + 4 * PAGE
    memory.table.write(0x100000, b"back")
    assert os.pread(fd, 4, 7 * PAGE) == b"back"
    memory.close()
    memory.close()
    assert mappings() == 0


@pytest.mark.parametrize("user, size", [(0x6FFF_FFFF, 2), (0x7000_3FFF, 2), (0x7000_0000, 4 * PAGE + 1), (0, 1)])
def test_a_ring_part_lies_in_one_region(fd: int, user: int, size: int) -> None:
    memory = SharedMemory([Told(0, 4 * PAGE, 0x7000_0000, 0)], [fd])
    with pytest.raises(MessageError) as caught:
        memory.to_hva(user, size)
    assert caught.value.fault is MessageFault.RING_ADDRESS
    memory.close()


def test_when_one_region_fails_none_is_left(fd: int) -> None:
    good, bad = Told(0, PAGE, 0, 0), Told(0x10000, PAGE, 0x10000, 64 * PAGE)
    with pytest.raises(MessageError):
        SharedMemory([good, bad], [fd, fd])
    assert mappings() == 0


def test_a_sealed_file_cannot_be_written_and_so_not_mapped() -> None:
    import fcntl

    require("embedded")
    sealed = os.memfd_create("guest", os.MFD_ALLOW_SEALING)
    os.ftruncate(sealed, PAGE)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    with pytest.raises(MessageError) as caught:
        SharedMemory([Told(0, PAGE, 0, 0)], [sealed])
    assert caught.value.fault is MessageFault.REGION_MAP
    os.close(sealed)


def test_a_log_may_begin_anywhere_in_its_file(fd: int) -> None:
    log = SharedLog(fd, 16, PAGE + 40)
    log.set(9 * PAGE, 1)
    assert log.test(9 * PAGE) and not log.test(8 * PAGE)
    assert os.pread(fd, 2, PAGE + 40) == b"\0\2"
    assert log.covers(128 * PAGE) and not log.covers(128 * PAGE + 1)
    assert native.peek(log.hva, 2) == b"\0\2"
    with pytest.raises(IndexError):
        log.set(128 * PAGE, 1)
    log.close()
    assert mappings() == 0


@pytest.mark.parametrize("size, offset", [(0, 0), (64 * PAGE, 1), (1 << 63, 0), (8, 1 << 63)])
def test_a_log_that_cannot_be(fd: int, size: int, offset: int) -> None:
    with pytest.raises(MessageError):
        SharedLog(fd, size, offset)
    assert mappings() == 0
