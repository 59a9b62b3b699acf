"""What the embedded device accepts, number by number (the kernel's own answers are in tests/contract)."""

from __future__ import annotations

import mmap
import os

import pytest

from tour.abi import native
from tour.device.embedded import checks
from tour.memory.table import MemoryTable, Region


def test_memory_that_is_not_there_is_seen_without_touching_it() -> None:
    assert not checks.readable(0x10000, 1)
    assert not checks.writable(0x10000, 1)
    with pytest.raises(OSError, match="Bad address"):
        checks.copy(0x10000, 1)


def test_rights_are_told_apart() -> None:
    fd = os.memfd_create("pages")
    os.ftruncate(fd, 8192)
    with mmap.mmap(fd, 8192, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as both:
        hva = native.address_of(both)
        assert checks.readable(hva, 8192) and checks.writable(hva, 8192)
    os.close(fd)


def test_a_range_that_runs_off_its_mapping_is_refused() -> None:
    with mmap.mmap(-1, 4096) as page:
        hva = native.address_of(page)
        assert checks.writable(hva + 4095, 1)
        assert not checks.readable(hva, 1 << 40)
        assert not checks.writable(hva, 1 << 40)


def test_without_process_vm_readv_the_maps_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_may_look", lambda: False)
    with mmap.mmap(-1, 4096) as page:
        page[:5] = b"bytes"
        assert checks.copy(native.address_of(page), 5) == b"bytes"
    assert not checks.readable(0x10000, 1)


def test_a_region_of_size_0_at_0_is_everything() -> None:
    table = checks.kernel_table(MemoryTable([Region(0, 0, 0x1000)]))
    assert [(region.gpa, region.size) for region in table.regions] == [(0, 1 << 63), (1 << 63, 1 << 63)]


@pytest.mark.parametrize(
    ("hva", "size", "ok"),
    [
        (0, 0, True),
        (checks.TASK_SIZE, 0, True),
        (checks.TASK_SIZE, 1, False),
        (0, checks.TASK_SIZE, True),
        (1, checks.TASK_SIZE, False),
        ((1 << 64) - 1, 1, False),
    ],
)
def test_the_end_of_the_address_space(hva: int, size: int, ok: bool) -> None:
    assert checks.access_ok(hva, size) is ok
