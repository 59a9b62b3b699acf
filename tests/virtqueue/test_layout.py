"""Addresses of a ring's words, against the formulas of virtio v1.3 2.7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tour.errors import RingError, RingFault
from tour.virtqueue.layout import RingLayout, end, plan

SIZES = st.integers(0, 15).map(lambda power: 1 << power)


@given(SIZES, st.integers(0, 1 << 40))
def test_a_plan_is_aligned_and_its_parts_do_not_overlap(num: int, base: int) -> None:
    ring = plan(num, base)
    assert ring.desc % 16 == ring.avail % 2 == ring.used % 4 == 0
    assert base <= ring.desc < base + 16
    assert ring.desc + ring.desc_size <= ring.avail
    assert ring.avail + ring.avail_size <= ring.used
    assert end(ring) == ring.used + ring.used_size


def test_every_word_of_a_ring_of_eight() -> None:
    ring = RingLayout(8, desc=0x1000, avail=0x2000, used=0x3000)
    assert (ring.desc_size, ring.avail_size, ring.used_size) == (16 * 8, 6 + 2 * 8, 6 + 8 * 8)
    assert (ring.desc_at(3), ring.avail_flags, ring.avail_idx, ring.avail_ring(7)) == (0x1030, 0x2000, 0x2002, 0x2012)
    assert (ring.used_flags, ring.used_idx, ring.used_ring(7)) == (0x3000, 0x3002, 0x303C)
    assert ring.used_event == ring.avail_ring(8) and ring.avail_event == ring.used_ring(8)


@pytest.mark.parametrize("num", [-8, 0, 3, 6, 32767, 65536])
def test_bad_sizes(num: int) -> None:
    with pytest.raises(RingError) as refused:
        plan(num, 0x1000)
    assert refused.value.reason is RingFault.BAD_SIZE and refused.value.value == num


@pytest.mark.parametrize("num", [1, 2, 32768])
def test_extreme_sizes_are_legal(num: int) -> None:
    plan(num, 0).check()


@pytest.mark.parametrize(("desc", "avail", "used"), [(0x1008, 0x2000, 0x3000), (0, 1, 0), (0, 0, 2)])
def test_misaligned_parts(desc: int, avail: int, used: int) -> None:
    with pytest.raises(RingError) as refused:
        RingLayout(8, desc, avail, used).check(3)
    assert refused.value.reason is RingFault.MISALIGNED and refused.value.queue == 3


def test_the_kernel_takes_any_descriptor_address() -> None:
    RingLayout(8, 0x1002, 0x2000, 0x3000).check(desc_align=1)
