"""The programs a guest is made of, and the Debian packages that bring them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tour.errors import CapabilityMissing
from tour.lab.kernel import Kernel

PACKAGES = {
    "linux.uml": "user-mode-linux",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "iperf3": "iperf3",
    "dpdk-testpmd": "dpdk-dev",
}
UML_MODULES = Path("/usr/lib/uml/modules")
LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x[0-9a-f]+\)")
"""A line of ldd(1) that names a file."""


def find(names: Iterable[str], capability: str) -> dict[str, Path]:
    """Where these programs are. Raises CapabilityMissing(``capability``) naming every package that lacks."""
    wanted = list(names)
    found = {name: shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") for name in wanted}
    lacking = [name for name in wanted if not found[name]]
    if lacking:
        packages = " ".join(PACKAGES[name] for name in lacking)
        what = f"Not installed here: {', '.join(lacking)}."
        raise CapabilityMissing(capability, what, "", f"sudo apt-get install {packages}")
    return {name: Path(path).resolve() for name, path in found.items() if path}


def uml_kernel(program: Path) -> Kernel:
    """User-mode Linux as a kernel: the program is its image. Raises CapabilityMissing("uml")."""
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    version = said.stdout.decode(errors="replace").strip()
    modules = UML_MODULES / version
    if not version or not modules.is_dir():
        why = f"Its modules were looked for in {modules}."
        fix = "sudo apt-get install --reinstall user-mode-linux"
        raise CapabilityMissing("uml", "User-mode Linux is here without its modules.", why, fix)
    return Kernel(version, program, modules)


def with_libraries(program: Path) -> dict[str, bytes]:
    """A program's file and the libraries it loads, by the path they are looked for at (without the first slash)."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    files = [Path(path) for path in LIBRARY.findall(said.stdout.decode())]
    return {str(path).removeprefix("/"): path.read_bytes() for path in [program, *files]}
