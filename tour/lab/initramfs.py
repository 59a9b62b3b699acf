"""The file system the lab boots from: BusyBox, the modules and the init script, as a cpio archive."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tour.lab import cache, modules, script, vmlinux
from tour.lab.kernel import Tools

FOLDER, FILE, PROGRAM = 0o040755, 0o100644, 0o100755


@dataclass(frozen=True)
class BootFiles:
    """What QEMU is given: a kernel (ELF or bzImage) and an initramfs."""

    kernel: Path
    initramfs: Path


def prepare(tools: Tools, extra: Sequence[str] = ()) -> BootFiles:
    """Make or find the boot files for a kernel, with ``extra`` modules loaded too.

    Raises CapabilityMissing("lab") for what the kernel lacks, UsageError if they cannot be kept.
    """
    order = modules.load_order(tools.kernel, (*modules.NEEDED, *extra))
    entries = _entries(tools.busybox.read_bytes(), order)
    initramfs = cache.keep(f"initramfs-{digest(entries)}.cpio", lambda: pack(entries))
    return BootFiles(unpacked(tools.kernel.image), initramfs)


def unpacked(image: Path) -> Path:
    """The unpacked kernel, or ``image`` itself where it cannot be unpacked."""
    name = f"vmlinux-{hashlib.sha256(image.read_bytes()).hexdigest()[:32]}.elf"
    elf = b""

    def make() -> bytes:
        return elf

    if not cache.has(name):
        elf = vmlinux.extract(image) or b""
        if not elf:
            return image
    return cache.keep(name, make)


def _entries(busybox: bytes, order: Sequence[modules.Module]) -> list[tuple[str, int, bytes]]:
    """Name, mode and content of everything in the archive, folders before what is in them."""
    folders = [(name, FOLDER, b"") for name in ("bin", "dev", "host", "modules", "new", "proc", "rw", "sys")]
    files = [("bin/busybox", PROGRAM, busybox), ("init", PROGRAM, script.INIT.encode())]
    files += [(f"modules/{module.name}.ko", FILE, module.data) for module in order]
    return [*folders, *files, ("order", FILE, "".join(f"{module.name}\n" for module in order).encode())]


def digest(entries: Sequence[tuple[str, int, bytes]]) -> str:
    """A name for an archive of ``entries``: equal for equal content only."""
    hashed = hashlib.sha256()
    for name, mode, data in entries:
        hashed.update(f"{name} {mode} {len(data)}\n".encode())
        hashed.update(data)
    return hashed.hexdigest()[:32]


def pack(entries: Sequence[tuple[str, int, bytes]]) -> bytes:
    """A cpio archive in the 'newc' format (Linux Documentation/driver-api/early-userspace/buffer-format.rst)."""
    out = bytearray()
    for inode, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        path = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + path
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)
