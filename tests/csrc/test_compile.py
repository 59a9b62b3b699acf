"""Every header stands alone and gives no warning, by gcc and by clang, with io_uring and without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import require
from tour.abi.build import TOUR
from tour.errors import CapabilityMissing

CSRC = TOUR / "csrc"
HEADERS = sorted(path.name for path in CSRC.glob("*.h") if path.name not in ("native.h", "abi_check.h"))
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fsyntax-only")


def compiler(name: str) -> str:
    """The newest program of that name. Skips without it."""
    found = shutil.which(name) or next(
        (shutil.which(f"{name}-{n}") for n in range(30, 10, -1) if shutil.which(f"{name}-{n}")), None
    )

    def probe() -> None:
        if not found:
            raise CapabilityMissing(name, f"{name} is not installed", "", f"sudo apt-get install {name}")

    require("compiler" if name == "gcc" else name, probe)
    return str(found)


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_each_header_alone_without_a_warning(name: str, tmp_path: Path) -> None:
    program = compiler(name)
    for header in HEADERS:
        source = tmp_path / "alone.c"
        source.write_text(f'#include "{header}"\n')
        done = subprocess.run([program, *FLAGS, f"-I{CSRC}", str(source)], capture_output=True, text=True)
        assert done.returncode == 0, f"{header}: {done.stderr}"


def test_without_io_uring_in_the_systems_headers(tmp_path: Path) -> None:
    program = compiler("gcc")
    for path in CSRC.glob("*.h"):
        shutil.copy(path, tmp_path)
    text = (CSRC / "uring.h").read_text()
    assert "#if __has_include(<linux/io_uring.h>)" in text
    (tmp_path / "uring.h").write_text(text.replace("<linux/io_uring.h>", "<linux/not_there.h>"))
    source = tmp_path / "without.c"
    source.write_text('#include "control.h"\nint main(void) { return vt_engine_new(0, 0) == NULL; }\n')
    command = [program, *FLAGS[:-1], f"-I{tmp_path}", str(source), "-o", str(tmp_path / "without")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([str(tmp_path / "without")]).returncode == 0
