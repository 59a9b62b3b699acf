"""Which kernel, QEMU and BusyBox the lab uses: a kernel of this machine, a fetched one, or one in a folder."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tour.errors import CapabilityMissing
from tour.lab import cache

FIX = "sudo apt-get install qemu-system-x86 linux-image-amd64 busybox-static"
SYSTEM = Path("/")
VHOST_NET = "kernel/drivers/vhost"


@dataclass(frozen=True)
class Kernel:
    """A bootable kernel. ``image`` is its bzImage, ``modules`` the folder that holds its ``kernel/`` tree."""

    version: str
    image: Path
    modules: Path


@dataclass(frozen=True)
class Tools:
    """All programs and files a boot needs; ``kernel`` included."""

    qemu: Path
    busybox: Path
    kernel: Kernel


def find_tools(wanted: str = "") -> Tools:
    """What the lab needs on this machine. Raises CapabilityMissing("lab") with the apt line."""
    if platform.machine() != "x86_64":
        raise missing("The lab needs an x86-64 machine.", f"This one is {platform.machine()}.", fix="tour start")
    return Tools(find_qemu(), find_busybox(), find_kernel(wanted))


def find_kernel(wanted: str = "") -> Kernel:
    """The kernel to boot: the newest in the folder ``wanted``, the newest of the version ``wanted`` (6.12, newest),
    or by default the newest installed one, else the newest fetched one.

    A kernel counts if it has vhost_net and its image can be read. Raises CapabilityMissing("lab").
    """
    if "/" in wanted or os.path.isdir(wanted):
        return _in_folder(Path(wanted))
    if wanted:
        return _of_version(wanted)
    found = list(_kernels(SYSTEM)) or list(_fetched())
    if not found:
        what = "No kernel with vhost_net was found on this machine."
        raise missing(what, "The lab boots one to get a real /dev/vhost-net.")
    return _newest(found)


def fetched() -> Path:
    """Where fetched kernels lie, one folder each, by the name they were asked for."""
    return cache.folder() / "kernels"


def known() -> list[Kernel]:
    """Every kernel the lab could boot, oldest first."""
    return sorted((*_kernels(SYSTEM), *_fetched()), key=lambda kernel: _natural(kernel.version))


def _in_folder(folder: Path) -> Kernel:
    if not folder.is_dir():
        fix = "give --kernel a folder with an unpacked kernel package"
        raise missing(f"There is no folder {folder} to take a kernel from.", fix=fix)
    found = list(_kernels(folder))
    if not found:
        raise missing(f"No kernel with vhost_net was found in {folder}.")
    return _newest(found)


def _of_version(wanted: str) -> Kernel:
    """The newest kernel whose version is ``wanted`` or begins with it; 'newest' is what was fetched as that."""
    if wanted == "newest":
        found = list(_kernels(fetched() / wanted))
    else:
        found = [kernel for kernel in known() if re.match(re.escape(wanted) + r"(?![0-9])", kernel.version)]
    if not found:
        there = ", ".join(kernel.version for kernel in known())
        why = f"There are: {there}." if there else ""
        raise missing(f"There is no Linux {wanted} here.", why, f"tour lab fetch {wanted}")
    return _newest(found)


def _newest(found: list[Kernel]) -> Kernel:
    """The newest that may be read. Raises CapabilityMissing("lab") if none may."""
    ordered = sorted(found, key=lambda kernel: _natural(kernel.version))
    readable = [kernel for kernel in ordered if os.access(kernel.image, os.R_OK)]
    if not readable:
        image = ordered[-1].image
        raise missing(f"The kernel {image} may not be read by this user.", fix=f"sudo chmod a+r {image}")
    return readable[-1]


def _fetched() -> Iterator[Kernel]:
    for folder in sorted(fetched().glob("[!.]*")):
        yield from _kernels(folder)


def _kernels(root: Path) -> Iterator[Kernel]:
    """Every kernel below ``root`` that has vhost_net as a module and an image beside it or in /boot."""
    for base in {(root / place).resolve() for place in ("lib/modules", "usr/lib/modules")}:
        for modules in base.glob("*"):
            images = (root / "boot" / f"vmlinuz-{modules.name}", modules / "vmlinuz")
            image = next((path for path in images if path.is_file()), None)
            if image and any((modules / VHOST_NET).glob("vhost_net.ko*")):
                yield Kernel(modules.name, image, modules)


def _natural(version: str) -> list[tuple[int, str]]:
    """A sort key by which 6.12 comes after 6.1."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", version)]


def find_qemu() -> Path:
    """The emulator. Raises CapabilityMissing("lab")."""
    found = shutil.which("qemu-system-x86_64")
    if not found:
        raise missing("QEMU (qemu-system-x86_64) is not installed.")
    return Path(found)


def find_busybox() -> Path:
    """A static BusyBox. Raises CapabilityMissing("lab")."""
    found = shutil.which("busybox")
    if not found:
        raise missing("BusyBox is not installed.")
    path = Path(found).resolve()
    if b"/ld-linux" in path.read_bytes()[:4096]:
        raise missing("The BusyBox of this machine is not a static one.", "It must run before any library is there.")
    return path


def missing(what: str, why: str = "", fix: str = FIX) -> CapabilityMissing:
    """The error of everything the lab lacks."""
    return CapabilityMissing("lab", what, why, fix)
