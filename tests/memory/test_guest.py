"""Guest memory is real shared memory with a hole."""

from __future__ import annotations

import mmap
import os

import pytest

from tour.abi import native
from tour.errors import GuestMemoryError
from tour.memory.guest import GuestMemory, RegionSpec

pytestmark = pytest.mark.requires("embedded")


def test_fresh_memory_is_zero_and_keeps_what_is_written(memory: GuestMemory) -> None:
    assert memory.read(0x40000, 64) == bytes(64)
    memory.write(0x40000, b"frame")
    assert memory.read(0x3FFFE + 2, 5) == b"frame"
    assert native.peek(memory.translate(0x40000, 5), 5) == b"frame"


def test_the_hole_is_no_memory(memory: GuestMemory) -> None:
    for gpa, size in ((0x20000, 1), (0x1FFFF, 2), (0x3FFFF, 2), (0xC0000, 1)):
        with pytest.raises(GuestMemoryError):
            memory.read(gpa, size)
        with pytest.raises(GuestMemoryError):
            memory.write(gpa, bytes(size))


def test_a_refused_write_writes_nothing(memory: GuestMemory) -> None:
    with pytest.raises(GuestMemoryError):
        memory.write(0x1FFFE, b"1234")
    assert memory.read(0x1FFFE, 2) == b"\0\0"


def test_another_mapping_of_the_fd_sees_the_same_pages(memory: GuestMemory) -> None:
    region = memory.regions[1]
    with mmap.mmap(region.fd, region.size) as other:
        memory.write(0x40010, b"shared")
        assert other[0x10:0x16] == b"shared"
        other[0x10:0x16] = b"SHARED"
    assert memory.read(0x40010, 6) == b"SHARED"


def test_a_view_is_the_bytes_themselves(memory: GuestMemory) -> None:
    with memory.view(0x40100, 4) as piece:
        memory.write(0x40100, b"view")
        assert bytes(piece) == b"view"
        piece[0:1] = b"V"
    assert memory.read(0x40100, 4) == b"View"
    with pytest.raises(GuestMemoryError):
        memory.view(0x1FFFF, 2)


def test_a_covered_page_leads_elsewhere_until_it_is_uncovered(memory: GuestMemory) -> None:
    memory.write(0x40FF8, b"own page" + b"next one")
    memory.cover(0x40FF8)
    assert memory.read(0x40FF8, 16) == bytes(8) + b"next one"
    memory.write(0x40FF8, b"elsewher")
    assert memory.kept(0x40FF8, 8) == b"own page"
    memory.uncover(0x40000)
    assert memory.read(0x40FF8, 8) == b"own page"


def test_save_and_load(memory: GuestMemory) -> None:
    memory.write(0x100, b"low")
    memory.write(0xBFFFD, b"end")
    with GuestMemory([RegionSpec(r.gpa, r.size) for r in memory.regions]) as twin:
        twin.load(memory.save())
        assert twin.read(0x100, 3) == b"low" and twin.read(0xBFFFD, 3) == b"end"


def test_fill(memory: GuestMemory) -> None:
    memory.fill(0x40000, 4, 0xA5)
    assert memory.read(0x3FFFF + 1, 5) == b"\xa5\xa5\xa5\xa5\x00"


@pytest.mark.parametrize(
    "layout",
    [
        [(0, 0)],
        [(0, 100)],
        [(1, 4096)],
        [(-4096, 4096)],
        [((1 << 64) - 4096, 8192)],
        [(0, 8192), (4096, 4096)],
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(layout: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="region"):
        GuestMemory([RegionSpec(*spec) for spec in layout])


def test_close_leaves_no_descriptor_behind_and_may_come_twice() -> None:
    before = os.listdir("/proc/self/fd")
    guest = GuestMemory([RegionSpec(0, 4096), RegionSpec(8192, 4096)])
    guest.close()
    guest.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_failure_half_way_closes_what_was_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/proc/self/fd"))
    real = os.ftruncate
    calls: list[int] = []

    def second_fails(fd: int, size: int) -> None:
        calls.append(fd)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(fd, size)

    monkeypatch.setattr(os, "ftruncate", second_fails)
    with pytest.raises(OSError, match="No space"):
        GuestMemory([RegionSpec(0, 4096), RegionSpec(8192, 4096)])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_region_more_keeps_what_was_there(memory: GuestMemory) -> None:
    memory.write(0, b"kept")
    before = memory.table
    added = memory.add(RegionSpec(1 << 32, 4096))
    assert memory.regions == (*before.regions, added) and memory.read(0, 4) == b"kept"
    assert memory.translate(1 << 32, 4096) == added.hva
    with pytest.raises(ValueError, match="overlap"):
        memory.add(RegionSpec(1 << 32, 8192))
    assert memory.regions == (*before.regions, added)
