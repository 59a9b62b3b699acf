"""The one gpa -> hva door: named regressions of other programs, and every range against a byte-by-byte model."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.errors import GuestMemoryError, MemoryFault
from tour.memory.table import LIMIT, MemoryTable, Region, Span

A, B = Region(0x0, 0x1000, 0x10000), Region(0x3000, 0x1000, 0x20000)
TABLE = MemoryTable([A, B])


def fault(table: MemoryTable, gpa: int, size: int) -> MemoryFault:
    with pytest.raises(GuestMemoryError) as refused:
        table.spans(gpa, size)
    assert (refused.value.gpa, refused.value.size) == (gpa, size)
    return refused.value.reason


def test_last_byte() -> None:
    assert TABLE.translate(0xFFF, 1) == 0x10FFF
    assert TABLE.spans(0x3FFF, 1) == [Span(0x20FFF, 1)]


def test_one_past() -> None:
    assert fault(TABLE, 0x1000, 1) is MemoryFault.UNMAPPED
    assert fault(TABLE, 0x4000, 1) is MemoryFault.UNMAPPED


def test_end_only_check_would_accept() -> None:
    """The last byte is mapped, the first is not."""
    assert fault(TABLE, 0x2FFF, 2) is MemoryFault.UNMAPPED


def test_begins_inside_ends_outside() -> None:
    assert fault(TABLE, 0xFFF, 2) is MemoryFault.CROSSES_END


def test_hole_between_regions() -> None:
    """Both ends are mapped, the middle is not."""
    assert fault(TABLE, 0x800, 0x3000) is MemoryFault.CROSSES_END
    assert fault(TABLE, 0x2000, 0x10) is MemoryFault.UNMAPPED


@pytest.mark.parametrize(("gpa", "size"), [(LIMIT - 1, 2), (LIMIT - 16, 0x1010), (0x800, LIMIT), (LIMIT, 1), (-1, 2)])
def test_wrap_at_2_to_the_64(gpa: int, size: int) -> None:
    """An end computed modulo 2^64 would fall back into region A."""
    assert fault(TABLE, gpa, size) is MemoryFault.OVERFLOW


def test_a_region_may_end_at_2_to_the_64() -> None:
    top = MemoryTable([Region(LIMIT - 0x1000, 0x1000, 0x50000)])
    assert top.translate(LIMIT - 1, 1) == 0x50FFF
    assert top.translate(LIMIT - 0x1000, 0x1000) == 0x50000
    assert fault(top, LIMIT - 1, 2) is MemoryFault.OVERFLOW


def test_a_range_over_two_adjacent_regions_has_two_spans() -> None:
    table = MemoryTable([Region(0x1000, 0x1000, 0x90000), Region(0x0, 0x1000, 0x10000)])
    assert table.spans(0xF00, 0x200) == [Span(0x10F00, 0x100), Span(0x90000, 0x100)]
    with pytest.raises(GuestMemoryError) as refused:
        table.translate(0xF00, 0x200)
    assert refused.value.reason is MemoryFault.CROSSES_END


def test_a_ring_part_may_cross_regions_adjacent_on_both_sides() -> None:
    table = MemoryTable([Region(0x0, 0x1000, 0x10000), Region(0x1000, 0x1000, 0x11000)])
    assert table.translate(0xF00, 0x200) == 0x10F00


def test_size_zero_has_no_span_and_no_address() -> None:
    assert TABLE.spans(0x2000, 0) == []
    with pytest.raises(GuestMemoryError):
        TABLE.translate(0x0, 0)


def test_overlapping_regions_are_taken_and_never_left() -> None:
    """The kernel accepts such a table, so it must do no harm here."""
    table = MemoryTable([Region(0x0, 0x3000, 0x10000), Region(0x1000, 0x1000, 0x90000)])
    assert table.translate(0x1800, 8) == 0x11800
    assert table.translate(0x2800, 8) == 0x12800
    wider = MemoryTable([Region(0x1000, 0x3000, 0x90000), Region(0x0, 0x2000, 0x10000)])
    assert wider.spans(0x1FF8, 0x10) == [Span(0x11FF8, 8), Span(0x91000, 8)]
    assert MemoryTable([Region(0, 8, 0x10000), Region(0, 8, 0x90000)]).translate(0, 8) == 0x10000


def test_an_empty_table_holds_nothing() -> None:
    assert fault(MemoryTable([]), 0, 1) is MemoryFault.UNMAPPED


def test_to_gpa_is_the_way_back() -> None:
    assert TABLE.to_gpa(0x20FFF, 1) == 0x3FFF
    for hva, size in ((0x20FFF, 2), (0x1FFFF, 1), (0x30000, 1)):
        with pytest.raises(GuestMemoryError):
            TABLE.to_gpa(hva, size)


def test_pack_keeps_the_order_given() -> None:
    table = MemoryTable([B, A])
    assert table.pack().hex() == (
        "0200000000000000"
        "0030000000000000" "0010000000000000" "0000020000000000" "0000000000000000"
        "0000000000000000" "0010000000000000" "0000010000000000" "0000000000000000"
    )  # fmt: skip


REGIONS = st.lists(
    st.builds(Region, gpa=st.integers(0, 40), size=st.integers(1, 20), hva=st.integers(1, 1 << 20)), max_size=5
)


@given(REGIONS, st.integers(0, 70), st.integers(0, 70))
def test_spans_are_the_bytes_one_by_one_or_an_error(regions: list[Region], gpa: int, size: int) -> None:
    table = MemoryTable(regions)
    whole = all(table.region_of(at) for at in range(gpa, gpa + size))
    try:
        spans = table.spans(gpa, size)
    except GuestMemoryError:
        assert not whole
        return
    assert whole and sum(span.size for span in spans) == size and all(span.size for span in spans)
    at = gpa
    for hva, length in spans:
        holders = [r for r in regions if r.hva + at - r.gpa == hva and r.gpa <= at and at + length <= r.end]
        assert holders, "a span left the region it began in"
        at += length


@given(REGIONS, st.integers(-(1 << 65), 1 << 65), st.integers(-(1 << 65), 1 << 65))
def test_no_number_raises_anything_else(regions: list[Region], gpa: int, size: int) -> None:
    table = MemoryTable(regions)
    for question in (table.spans, table.translate, table.to_gpa):
        with contextlib.suppress(GuestMemoryError):
            question(gpa, size)
