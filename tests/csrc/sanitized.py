"""The package once more with its compiled part built for the sanitizers, and tests run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support import ROOT
from tour.errors import CapabilityMissing

FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1")
# Truncated memory is the engine's own business; Python keeps what it has until it ends, and the test frameworks too.
OPTIONS = "handle_sigbus=0:detect_leaks=0:detect_stack_use_after_return=1:exitcode=99"


def probe_sanitizers() -> None:
    """Raises CapabilityMissing unless gcc and its sanitizers' libraries are there."""
    if shutil.which("gcc") is None or not all(Path(one).is_absolute() for one in _libraries()):
        raise CapabilityMissing("clang", "gcc's sanitizers are not here.", "", "sudo apt-get install gcc libc6-dev")


def _libraries() -> list[str]:
    names = ("libasan.so", "libubsan.so")
    return [subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip() for name in names]


def build(folder: Path, instead: tuple[str, str, str] | None = None) -> None:
    """A copy of the package and of its tests in ``folder``, compiled for the sanitizers; ``instead`` is a file of the
    engine, a line in it, and what to have in its place."""
    left = shutil.ignore_patterns("__pycache__", "*.so")
    for name in ("tour", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=left)
    shutil.copy(ROOT / "pyproject.toml", folder)
    if instead:
        weak = folder / "tour" / "csrc" / instead[0]
        text = weak.read_text()
        assert text.count(instead[1]) == 1
        weak.write_text(text.replace(*instead[1:]))
    csrc, extension = folder / "tour" / "csrc", folder / "tour" / "abi" / "_native.abi3.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", *FLAGS, f"-I{sysconfig.get_path('include')}", f"-I{csrc}",
         "-DPy_LIMITED_API=0x030B0000", str(csrc / "_native.c"), "-o", str(extension)],
        check=True,
    )  # fmt: skip


def run_tests(folder: Path, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """pytest in ``folder`` with the sanitizers loaded; output and errors together."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:faulthandler", *words]
    environ = {
        **os.environ, "ASAN_OPTIONS": OPTIONS, "UBSAN_OPTIONS": OPTIONS, "PYTHONMALLOC": "malloc",
        "LD_PRELOAD": " ".join(_libraries()), "PYTHONPATH": str(folder),
    }  # fmt: skip
    pipe = subprocess.PIPE
    return subprocess.run(
        command, cwd=folder, env=environ, text=True, errors="replace", stdout=pipe, stderr=subprocess.STDOUT,
        timeout=seconds,
    )  # fmt: skip
