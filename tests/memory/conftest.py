"""Guest memory as the lessons have it: two regions with a hole between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tour.memory.guest import GuestMemory, RegionSpec

LOW, HIGH = RegionSpec(0, 0x20000), RegionSpec(0x40000, 0x80000)


@pytest.fixture
def memory() -> Iterator[GuestMemory]:
    with GuestMemory([LOW, HIGH]) as guest:
        yield guest
