"""The structs that cross the kernel's edge: one ``struct`` format each, with pack and unpack.

Numbers in kernel structs are of the machine's own byte order (``=``); numbers in guest memory are
little-endian (``<``, virtio v1.3 1.4). ``csrc/abi_check.h`` lets the compiler compare sizes and offsets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Layout:
    """One C struct: its name, its header, its ``struct`` format and the names of its fields in order."""

    ctype: str
    header: str
    format: str
    fields: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes, as C's ``sizeof``."""
        return struct.calcsize(self.format)

    def offset(self, field: str) -> int:
        """Byte offset of ``field``, as C's ``offsetof``. All layouts here are free of padding holes."""
        codes = self.format[0] + "".join(_codes(self.format)[: self.fields.index(field)])
        return struct.calcsize(codes)

    def pack(self, *values: int | bytes) -> bytes:
        """The struct's bytes. Raises struct.error when a value does not fit."""
        return struct.pack(self.format, *values)

    def unpack(self, data: bytes) -> dict[str, int]:
        """Field name -> value from exactly ``size`` bytes. Raises struct.error on any other length."""
        return dict(zip(self.fields, struct.unpack(self.format, data), strict=True))


def _codes(fmt: str) -> list[str]:
    """The format's items one by one: ``'=16sH22x'`` gives ``['16s', 'H', '22x']``."""
    items, number = [], ""
    for char in fmt[1:]:
        number += char
        if not char.isdigit():
            items.append(number)
            number = ""
    return items


_VHOST = "linux/vhost_types.h"
VRING_STATE = Layout("struct vhost_vring_state", _VHOST, "=II", ("index", "num"))
VRING_FILE = Layout("struct vhost_vring_file", _VHOST, "=Ii", ("index", "fd"))
VRING_ADDR = Layout(
    "struct vhost_vring_addr", _VHOST, "=IIQQQQ",
    ("index", "flags", "desc_user_addr", "used_user_addr", "avail_user_addr", "log_guest_addr"),
)  # fmt: skip
MEMORY_REGION = Layout(
    "struct vhost_memory_region", _VHOST, "=QQQQ",
    ("guest_phys_addr", "memory_size", "userspace_addr", "flags_padding"),
)  # fmt: skip
MEMORY = Layout("struct vhost_memory", _VHOST, "=II", ("nregions", "padding"))
VRING_DESC = Layout("struct vring_desc", "linux/virtio_ring.h", "<QIHH", ("addr", "len", "flags", "next"))
VRING_USED_ELEM = Layout("struct vring_used_elem", "linux/virtio_ring.h", "<II", ("id", "len"))
NET_HDR = Layout(
    "struct virtio_net_hdr_v1", "linux/virtio_net.h", "<BBHHHHH",
    ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers"),
)  # fmt: skip
IFREQ = Layout("struct ifreq", "linux/if.h", "=16sH22x", ("ifr_name", "ifr_flags"))
LAYOUTS = (
    VRING_STATE, VRING_FILE, VRING_ADDR, MEMORY_REGION, MEMORY, VRING_DESC, VRING_USED_ELEM, NET_HDR, IFREQ,
)  # fmt: skip


def pack_vring_state(index: int, num: int) -> bytes:
    """struct vhost_vring_state: argument of SET_VRING_NUM, SET_VRING_BASE and GET_VRING_BASE."""
    return VRING_STATE.pack(index, num)


def unpack_vring_state(data: bytes) -> tuple[int, int]:
    """(index, num) of a struct vhost_vring_state."""
    index, num = struct.unpack(VRING_STATE.format, data)
    return index, num


def pack_vring_file(index: int, fd: int) -> bytes:
    """struct vhost_vring_file: SET_VRING_KICK, CALL, ERR and NET_SET_BACKEND; fd -1 detaches."""
    return VRING_FILE.pack(index, fd)


def pack_vring_addr(index: int, flags: int, desc: int, used: int, avail: int, log: int = 0) -> bytes:
    """struct vhost_vring_addr. ``desc``, ``used`` and ``avail`` are HVAs, ``log`` is a GPA.

    The kernel's order is desc, used, avail: not the order in which anyone says them.
    """
    return VRING_ADDR.pack(index, flags, desc, used, avail, log)


class RegionRow(NamedTuple):
    """One row of struct vhost_memory: guest physical address, bytes, address in the owner's process."""

    gpa: int
    size: int
    hva: int


def pack_memory(regions: Iterable[RegionRow]) -> bytes:
    """struct vhost_memory with its regions: argument of SET_MEM_TABLE."""
    rows = [MEMORY_REGION.pack(row.gpa, row.size, row.hva, 0) for row in regions]
    return MEMORY.pack(len(rows), 0) + b"".join(rows)


def unpack_memory(data: bytes) -> list[RegionRow]:
    """The rows of a struct vhost_memory. Raises struct.error when ``data`` is shorter than it says."""
    (count, _) = struct.unpack_from(MEMORY.format, data)
    rows = [struct.unpack_from(MEMORY_REGION.format, data, MEMORY.size + 32 * i) for i in range(count)]
    return [RegionRow(gpa, size, hva) for gpa, size, hva, _ in rows]


def pack_ifreq(name: str, flags: int) -> bytes:
    """struct ifreq for TUNSETIFF: an interface name of at most 15 bytes and IFF_* flags.

    Raises ValueError when the name is too long. Source: linux/if.h (IFNAMSIZ 16).
    """
    raw = name.encode()
    if len(raw) > 15:
        raise ValueError(f"interface name {name!r} is longer than 15 bytes")
    return IFREQ.pack(raw, flags)


def ifreq_name(data: bytes) -> str:
    """The interface name the kernel left in a struct ifreq."""
    return data[:16].split(b"\0", 1)[0].decode()
