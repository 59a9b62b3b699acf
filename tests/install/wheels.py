"""Wheels made from a clean copy of this tree, and fresh environments with nothing of it but a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.support import ROOT
from tour.errors import CapabilityMissing

SETUPTOOLS = "setuptools>=77"
LEFT_OUT = {".git", ".venv", "build", "dist", "__pycache__"}


def pip(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """This environment's pip; the caller looks at its end."""
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    return subprocess.run(argv, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)


def get_setuptools(folder: Path) -> None:
    """What pyproject.toml needs to build, put into ``folder``. Raises CapabilityMissing without an index."""
    done = pip("install", "-q", "--target", str(folder), SETUPTOOLS)
    if done.returncode:
        raise CapabilityMissing("index", f"{SETUPTOOLS} cannot be had here.", done.stderr.strip()[-300:])


def tracked() -> list[str]:
    """The files of the tree that belong to it; all that is not built or cached where there is no git."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(git, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file() and path.suffix != ".so"]
        return [str(path) for path in found if not LEFT_OUT & set(path.parts)]
    return [name for name in os.fsdecode(done.stdout).split("\0") if name and (ROOT / name).is_file()]


def copy_tree(folder: Path) -> Path:
    """A clean copy of the tree in ``folder``."""
    for name in tracked():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder


def build(tree: Path, setuptools: Path, out: Path, env: Mapping[str, str] | None = None) -> Path:
    """The wheel of ``tree``."""
    environ = {"PYTHONPATH": str(setuptools), **(env or {})}
    done = pip("wheel", "--no-build-isolation", "--no-deps", "-w", str(out), str(tree), env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


def environment(folder: Path, wheel: Path) -> Path:
    """A fresh environment with ``wheel`` in it and the packages it depends on lent by ours; returns its ``bin``."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    done = pip("--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"
