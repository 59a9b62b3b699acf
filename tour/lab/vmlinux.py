"""The ELF kernel inside a bzImage.

QEMU starts an ELF kernel at its PVH entry (Xen's direct boot ABI, xen/include/public/arch-x86/hvm/start_info.h),
which skips the kernel's own unpacking: under software emulation that alone takes about four seconds.
"""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

from tour.errors import CapabilityMissing
from tour.lab.modules import unpack_xz, unpack_zstd

SETUP_SECTS = 0x1F1
HEADER_MAGIC = 0x202
PAYLOAD = 0x248
SECTOR = 512
PT_NOTE = 4
PVH_ENTRY_NOTE = struct.pack("<III", 4, 4, 18) + b"Xen\0"  # XEN_ELFNOTE_PHYS32_ENTRY, 32-bit address


def extract(image: Path) -> bytes | None:
    """The ELF file packed in ``image``; None if it cannot be unpacked here or has no PVH entry.

    Offsets: Linux Documentation/arch/x86/boot.rst, boot protocol 2.08 and later.
    """
    data = image.read_bytes()
    if data[HEADER_MAGIC : HEADER_MAGIC + 4] != b"HdrS":
        return None
    start = ((data[SETUP_SECTS] or 4) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", data, PAYLOAD)
    elf = _unpack(data[start + offset : start + offset + length])
    return elf if elf and has_pvh_entry(elf) else None


def has_pvh_entry(elf: bytes) -> bool:
    """Whether an ELF64 kernel carries the note by which QEMU finds its PVH entry (CONFIG_PVH)."""
    if elf[:5] != b"\x7fELF\x02":
        return False
    (table,) = struct.unpack_from("<Q", elf, 0x20)
    size, count = struct.unpack_from("<HH", elf, 0x36)
    for index in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<II4Q", elf, table + index * size)
        note = elf[offset : offset + length] if kind == PT_NOTE else b""
        if PVH_ENTRY_NOTE in note or PVH_ENTRY_NOTE.replace(b"\4\0\0\0\4", b"\4\0\0\0\x08", 1) in note:
            return True
    return False


def _unpack(packed: bytes) -> bytes | None:
    """Undo xz, gzip or zstd; the last four bytes of the payload are the unpacked size, not part of it."""
    try:
        if packed.startswith(b"\xfd7zXZ\0"):
            return unpack_xz(packed)
        if packed.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(31).decompress(packed)
        if packed.startswith(b"\x28\xb5\x2f\xfd"):
            return unpack_zstd(packed[:-4])
    except (CapabilityMissing, zlib.error, subprocess.CalledProcessError):
        return None
    return None
