"""The kernel modules the lab loads: which, in which order, unpacked.

Dependencies are read from each module's own ``.modinfo`` section (what depmod itself reads), so a folder that was
only unpacked, without any depmod run, will do. (Linux Documentation/kbuild/modules.rst, MODULE_INFO in
include/linux/module.h.)
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tour.lab.kernel import Kernel, missing

LZMA_FIX = "use a Python that has the lzma module, as the system's own does"
NEEDED = (
    "virtio_mmio",
    "virtio_console",
    "9pnet_virtio",
    "9p",
    "overlay",
    "tun",
    "vhost_net",
    "af_packet",
    "veth",
    "bridge",
    "macvtap",
)


@dataclass(frozen=True)
class Module:
    """One unpacked module: its name with underscores, and the bytes of its .ko file."""

    name: str
    data: bytes


def load_order(kernel: Kernel, wanted: Iterable[str] = NEEDED) -> list[Module]:
    """The modules of ``wanted`` that are not built in, each after all it depends on.

    Raises CapabilityMissing("lab") naming a module that the kernel does not have, or cannot be unpacked.
    """
    return _Resolver(kernel).resolve(wanted)


class _Resolver:
    """A depth-first walk over the modules' ``depends`` lists."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.paths = _index(kernel.modules)
        self.builtin = _builtin(kernel.modules)
        self.order: dict[str, Module] = {}

    def resolve(self, wanted: Iterable[str]) -> list[Module]:
        for name in wanted:
            self._visit(_plain(name))
        return list(self.order.values())

    def _visit(self, name: str) -> None:
        if name in self.order or name in self.builtin:
            return
        if name not in self.paths:
            if not self.builtin:  # a package without modules.builtin: what is no file must be built in
                return
            raise missing(f"The kernel {self.kernel.version} has no module {name}.", "The lab cannot do without it.")
        data = unpack(self.paths[name])
        for needed in dependencies(data):
            self._visit(_plain(needed))
        self.order[name] = Module(name, data)


def dependencies(module: bytes) -> list[str]:
    """The names in the ``depends=`` entry of an unpacked module's .modinfo section."""
    for entry in _section(module, b".modinfo").split(b"\0"):
        if entry.startswith(b"depends="):
            return [name for name in entry[len(b"depends=") :].decode().split(",") if name]
    return []


def unpack(path: Path) -> bytes:
    """The bytes of a .ko, .ko.xz or .ko.zst file. Raises CapabilityMissing("lab")."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return unpack_xz(data)
    if path.suffix == ".zst":
        return unpack_zstd(data)
    return data


def unpack_xz(data: bytes) -> bytes:
    """The first xz stream of ``data``. Raises CapabilityMissing("lab") where Python was built without lzma."""
    try:
        import lzma
    except ImportError:
        raise missing("This kernel's files are packed with xz, and this Python lacks lzma.", fix=LZMA_FIX) from None
    return lzma.LZMADecompressor().decompress(data)


def unpack_zstd(data: bytes) -> bytes:
    """Python has zstd from 3.14 only: the program of that name does it. Raises CapabilityMissing("lab")."""
    program = shutil.which("zstd")
    if not program:
        fix = "sudo apt-get install zstd"
        raise missing("This kernel's files are packed with zstd, which is not installed.", fix=fix)
    return subprocess.run([program, "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def _index(folder: Path) -> dict[str, Path]:
    """Module name -> file, for the whole tree of one kernel version."""
    found: dict[str, Path] = {}
    for where, _, names in os.walk(folder / "kernel"):
        for name in names:
            stem, dot, _ = name.partition(".ko")
            if dot:
                found[_plain(stem)] = Path(where, name)
    return found


def _builtin(folder: Path) -> set[str]:
    """Names of what is compiled in, of ``modules.builtin``; empty where the package lacks that file."""
    try:
        lines = (folder / "modules.builtin").read_text().split()
    except OSError:
        return set()
    return {_plain(Path(line).name.removesuffix(".ko")) for line in lines}


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _section(elf: bytes, wanted: bytes) -> bytes:
    """A section of a little-endian ELF64 file by its name, b'' if it has none (System V ABI, chapter 4)."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<II4QIIQQ", elf, table + index * size) for index in range(count)]
    names = headers[names_index][4]
    for name, _, _, _, offset, length, *_ in headers:
        start = names + name
        if elf[start : elf.index(b"\0", start)] == wanted:
            return elf[offset : offset + length]
    return b""
