"""The C engine with a harness, compiled by clang for its fuzzer and its sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support import ROOT
from tour.errors import CapabilityMissing

HERE = Path(__file__).parent
CSRC = ROOT / "tour" / "csrc"
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
QUIET = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-gnu-case-range")
# SIGBUS and SIGSEGV on guest memory are the engine's own business; elsewhere they reach the sanitizer.
OPTIONS = {"ASAN_OPTIONS": "handle_sigbus=0:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def probe_clang() -> None:
    """Raises CapabilityMissing unless clang and its fuzzer are there."""
    if shutil.which("clang") is None:
        raise CapabilityMissing("clang", "There is no clang.", "", "sudo apt-get install clang libclang-rt-14-dev")


def compiled(source: str, folder: Path, *flags: str, csrc: Path = CSRC) -> Path:
    """``source`` of this folder, compiled into ``folder``; AssertionError with what the compiler said."""
    program = folder / source.removesuffix(".c")
    command = ["clang", "-g", "-O1", *SANITIZE, *QUIET, *flags, f"-I{csrc}", str(HERE / source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path, *words: str, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    """Run it, output and errors together."""
    pipe = subprocess.PIPE
    return subprocess.run(
        [str(program), *words], env={**os.environ, **OPTIONS}, cwd=program.parent, text=True, errors="replace",
        stdout=pipe, stderr=subprocess.STDOUT, timeout=seconds,
    )  # fmt: skip
