"""The dirty log against a set of page numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.memory.dirty import LogBitmap

pytestmark = pytest.mark.requires("embedded")
END = 0x200000


@pytest.fixture
def log() -> Iterator[LogBitmap]:
    bitmap = LogBitmap(END)
    yield bitmap
    bitmap.close()


def test_a_write_across_a_page_boundary_marks_both(log: LogBitmap) -> None:
    log.set(0x1FFF, 2)
    assert log.test(0x1000) and log.test(0x2FFF)
    assert not log.test(0x0FFF) and not log.test(0x3000)
    assert log.fetch_and_clear() == [0x1000, 0x2000]
    assert log.fetch_and_clear() == []


def test_bit_order_is_the_kernels() -> None:
    """Page n is bit n mod 8 of byte n / 8."""
    fd = os.memfd_create("log")
    os.ftruncate(fd, 64)
    try:
        log = LogBitmap(END, fd)
        log.set(9 * 4096, 1)
        assert os.pread(fd, 4, 0) == b"\x00\x02\x00\x00"
        log.close()
    finally:
        os.close(fd)


def test_size_zero_marks_nothing(log: LogBitmap) -> None:
    log.set(0x5000, 0)
    assert log.fetch_and_clear() == []


def test_beyond_the_bitmap_is_refused() -> None:
    log = LogBitmap(4096)
    try:
        for gpa, size in ((64 * 4096, 1), (64 * 4096 - 1, 2), (-1, 1), (0, 1 << 64)):
            with pytest.raises(IndexError):
                log.set(gpa, size)
    finally:
        log.close()


@given(st.lists(st.tuples(st.integers(0, END - 1), st.integers(1, 20000)), max_size=12))
def test_marks_are_the_pages_touched(writes: list[tuple[int, int]]) -> None:
    log = LogBitmap(END)
    try:
        wanted: set[int] = set()
        for gpa, size in writes:
            size = min(size, END - gpa)
            log.set(gpa, size)
            wanted |= {at // 4096 * 4096 for at in range(gpa, gpa + size)}
        assert log.fetch_and_clear() == sorted(wanted)
    finally:
        log.close()
