"""Make the compiled part: ``python -m tour.abi.build``.

Without an option it compiles the committed C into ``tour/abi/_native.abi3.so`` (gcc, Python.h and libc6-dev
are enough). ``--regenerate`` first writes ``csrc/_native.c`` anew from the declarations below, with cffi's
recompiler, and ``csrc/abi_check.h`` from the table of facts; ``--check`` only says whether the committed
files are what would be written (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tour.abi import check
from tour.errors import CapabilityMissing

TOUR = Path(__file__).parent.parent
GENERATED = TOUR / "csrc" / "_native.c"
ABI_CHECK = TOUR / "csrc" / "abi_check.h"
EXTENSION = TOUR / "abi" / "_native.abi3.so"
LIMITED_API = 0x030B0000

DECLARATIONS = """
uint16_t vt_load_acquire_u16(uintptr_t addr);
void vt_store_release_u16(uintptr_t addr, uint16_t value);
uint16_t vt_load_relaxed_u16(uintptr_t addr);
void vt_store_relaxed_u16(uintptr_t addr, uint16_t value);
uint32_t vt_load_relaxed_u32(uintptr_t addr);
void vt_store_relaxed_u32(uintptr_t addr, uint32_t value);
uint64_t vt_load_relaxed_u64(uintptr_t addr);
void vt_store_relaxed_u64(uintptr_t addr, uint64_t value);
void vt_full_barrier(void);
void vt_or_u8(uintptr_t addr, uint8_t bits);
uint64_t vt_swap_u64(uintptr_t addr);
int vt_ioctl(int fd, unsigned long request, void *arg);
ssize_t vt_copy_in(void *to, uintptr_t from, size_t size);
"""


def generated_c() -> str:
    """The text of ``_native.c`` as cffi writes it today. Needs cffi."""
    ffi = importlib.import_module("cffi").FFI()
    ffi.cdef(DECLARATIONS)
    ffi.set_source("tour.abi._native", '#include "native.h"')
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "_native.c"
        ffi.emit_c_code(str(path))
        return path.read_text()


def outdated() -> list[Path]:
    """The committed generated files that differ from what would be written now."""
    wanted = {GENERATED: generated_c(), ABI_CHECK: check.header_text()}
    return [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]


def regenerate() -> None:
    """Write ``_native.c`` and ``abi_check.h``."""
    GENERATED.write_text(generated_c())
    ABI_CHECK.write_text(check.header_text())


def compile_in_place() -> Path:
    """Compile into ``tour/abi``. Raises CapabilityMissing("compiler") with the apt line."""
    compiler = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("cc")
    headers = sysconfig.get_paths()["include"]
    if compiler is None or not Path(headers, "Python.h").exists():
        raise _no_compiler("No C compiler or no Python.h was found.")
    flags = ["-O2", "-Wall", "-Wextra", "-Wno-unused-function", "-Wno-cast-function-type", "-shared", "-fPIC"]
    define = f"-DPy_LIMITED_API={LIMITED_API:#010x}"
    command = [compiler, *flags, define, f"-I{headers}", f"-I{TOUR / 'csrc'}", str(GENERATED), "-o"]
    # A running program may have the old file mapped: write beside it and rename.
    fresh = EXTENSION.with_suffix(f".{os.getpid()}.tmp")
    done = subprocess.run([*command, str(fresh)], capture_output=True, text=True)
    if done.returncode:
        fresh.unlink(missing_ok=True)
        raise _no_compiler(done.stderr.strip().splitlines()[0] if done.stderr else "The compiler failed.")
    fresh.rename(EXTENSION)
    return EXTENSION


def _no_compiler(why: str) -> CapabilityMissing:
    fix = "sudo apt-get install gcc python3-dev libc6-dev"
    return CapabilityMissing("compiler", "The compiled part could not be built.", why, fix)


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit codes as everywhere (0 done, 1 outdated, 3 no compiler)."""
    parser = argparse.ArgumentParser(prog="python -m tour.abi.build", description=__doc__.split("\n")[0])
    parser.add_argument("--regenerate", action="store_true", help="write the generated C and header anew")
    parser.add_argument("--check", action="store_true", help="say whether the committed files are up to date")
    parser.add_argument("--inplace", action="store_true", help="compile into tour/abi (the default)")
    chosen = parser.parse_args(arguments)
    if chosen.check:
        stale = outdated()
        for path in stale:
            print(f"{path.relative_to(TOUR.parent)} is not what --regenerate writes", file=sys.stderr)
        return 1 if stale else 0
    if chosen.regenerate:
        regenerate()
    try:
        print(compile_in_place().relative_to(TOUR.parent))
    except CapabilityMissing as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
