"""Struct layouts: bytes as the kernel expects them, and back."""

from __future__ import annotations

import struct

import pytest

from tour.abi import layouts
from tour.abi.layouts import LAYOUTS, Layout, RegionRow


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.ctype)
def test_last_field_ends_inside_the_struct(layout: Layout) -> None:
    offsets = [layout.offset(field) for field in layout.fields]
    assert offsets == sorted(set(offsets))
    assert offsets[0] == 0 and offsets[-1] < layout.size


def test_sizes_are_those_of_the_headers() -> None:
    sizes = {layout.ctype.removeprefix("struct "): layout.size for layout in LAYOUTS}
    assert sizes == {
        "vhost_vring_state": 8, "vhost_vring_file": 8, "vhost_vring_addr": 40, "vhost_memory_region": 32,
        "vhost_memory": 8, "vring_desc": 16, "vring_used_elem": 8, "virtio_net_hdr_v1": 12, "ifreq": 40,
    }  # fmt: skip


def test_vring_addr_has_used_before_avail() -> None:
    data = layouts.pack_vring_addr(1, 0, desc=0x1000, used=0x3000, avail=0x2000, log=0x4000)
    assert struct.unpack("=IIQQQQ", data) == (1, 0, 0x1000, 0x3000, 0x2000, 0x4000)
    assert layouts.VRING_ADDR.unpack(data)["avail_user_addr"] == 0x2000


def test_vring_state_and_file() -> None:
    assert layouts.unpack_vring_state(layouts.pack_vring_state(1, 256)) == (1, 256)
    assert layouts.VRING_FILE.unpack(layouts.pack_vring_file(0, -1)) == {"index": 0, "fd": -1}


def test_memory_round_trip() -> None:
    rows = [RegionRow(0, 0x20000, 0x7F0000000000), RegionRow(0x40000, 0x80000, 0x7F0000100000)]
    data = layouts.pack_memory(rows)
    assert len(data) == 8 + 2 * 32
    assert layouts.unpack_memory(data) == rows
    with pytest.raises(struct.error):
        layouts.unpack_memory(data[:-1])


def test_ifreq() -> None:
    data = layouts.pack_ifreq("tap0", 0x5002)
    assert len(data) == 40 and layouts.ifreq_name(data) == "tap0"
    assert data[16:18] == struct.pack("=H", 0x5002)
    with pytest.raises(ValueError, match="longer than 15"):
        layouts.pack_ifreq("a" * 16, 0)
