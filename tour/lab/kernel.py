"""Which kernel, QEMU and BusyBox the lab uses: the installed ones, or a folder with an unpacked kernel package."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tour.errors import CapabilityMissing

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


def find_tools(folder: Path | None = None) -> Tools:
    """What the lab needs on this machine. Raises CapabilityMissing("lab") with the apt line."""
    if platform.machine() != "x86_64":
        raise missing("The lab needs an x86-64 machine.", f"This one is {platform.machine()}.", fix="tour start")
    return Tools(_qemu(), _busybox(), find_kernel(folder))


def find_kernel(folder: Path | None = None) -> Kernel:
    """The kernel to boot: the newest of ``folder`` (an unpacked kernel package), else the newest installed one.

    A kernel counts if it has vhost_net and its image can be read. Raises CapabilityMissing("lab").
    """
    root = folder or SYSTEM
    if not root.is_dir():
        fix = "give --kernel a folder with an unpacked kernel package"
        raise missing(f"There is no folder {root} to take a kernel from.", fix=fix)
    found = sorted(_kernels(root), key=lambda kernel: _natural(kernel.version))
    readable = [kernel for kernel in found if os.access(kernel.image, os.R_OK)]
    if readable:
        return readable[-1]
    if found:
        image = found[-1].image
        raise missing(f"The kernel {image} may not be read by this user.", fix=f"sudo chmod a+r {image}")
    where = f"in {folder}" if folder else "on this machine"
    raise missing(f"No kernel with vhost_net was found {where}.", "The lab boots one to get a real /dev/vhost-net.")


def _kernels(root: Path) -> Iterator[Kernel]:
    """Every kernel below ``root`` that has vhost_net as a module and an image beside it or in /boot."""
    for base in (root / "lib/modules", root / "usr/lib/modules"):
        for modules in base.glob("*"):
            images = (root / "boot" / f"vmlinuz-{modules.name}", modules / "vmlinuz")
            image = next((path for path in images if path.is_file()), None)
            if image and any((modules / VHOST_NET).glob("vhost_net.ko*")):
                yield Kernel(modules.name, image, modules)


def _natural(version: str) -> list[tuple[int, str]]:
    """A sort key by which 6.12 comes after 6.1."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", version)]


def _qemu() -> Path:
    found = shutil.which("qemu-system-x86_64")
    if not found:
        raise missing("QEMU (qemu-system-x86_64) is not installed.")
    return Path(found)


def _busybox() -> Path:
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
