"""Building the compiled part: the committed C is current, old headers do, no compiler is one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tour.abi import build, check, native

ROOT = build.TOUR.parent
APT_LINE = "sudo apt-get install gcc python3-dev libc6-dev"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the compiled part needs, without it, where it can be built or be missing."""
    package = tmp_path / "tour"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for part in ("abi", "csrc", "trace", "memory", "virtqueue"):
        shutil.copytree(build.TOUR / part, package / part, ignore=ignored)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(build.TOUR / name, package / name)
    return tmp_path


def run(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(tree), **environment}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=variables, capture_output=True, text=True, timeout=60)


def test_committed_c_is_what_would_be_generated() -> None:
    pytest.importorskip("cffi")
    assert build.outdated() == []


@pytest.mark.requires("embedded")
def test_build_in_place_makes_a_working_module(tree: Path) -> None:
    done = run(tree, "-m", "tour.abi.build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "tour/abi/_native.abi3.so\n", "")
    used = run(tree, "-c", "from tour.abi import native; print(native.available(), native.__file__)")
    assert used.stdout == f"True {tree / 'tour/abi/native.py'}\n"


def test_without_a_compiler_one_sentence_and_the_apt_line(tree: Path) -> None:
    done = run(tree, "-m", "tour.abi.build", PATH="/nonexistent")
    assert done.returncode == 3
    assert done.stdout == "" and APT_LINE in done.stderr and "Traceback" not in done.stderr


def test_without_the_compiled_part_everything_imports_and_use_says_how_to_get_it(tree: Path) -> None:
    code = """
import tour.abi.native as native, tour.memory.guest as guest, tour.virtqueue.driver, tour.virtqueue.device
assert not native.available()
try:
    guest.GuestMemory([(0, 4096)])
except Exception as error:
    print(type(error).__name__, error.name, error.exit_code, error.fix, sep="|")
"""
    done = run(tree, "-c", code)
    kind, name, exit_code, fix = done.stdout.strip().split("|")
    assert (kind, name, exit_code) == ("CapabilityMissing", "embedded", "3")
    assert fix.startswith(APT_LINE) and fix.endswith("-P -m tour.abi.build")


def test_elsewhere_it_says_that_live_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    error = native._missing(ImportError("no"))
    assert "need Linux" in str(error) and "apt" not in str(error)


@pytest.mark.requires("embedded")
def test_the_compiler_refuses_a_wrong_number(tree: Path) -> None:
    if not Path("/usr/include/linux/vhost.h").exists():
        pytest.skip("no linux/vhost.h to compare with")
    header = tree / "tour" / "csrc" / "abi_check.h"
    header.write_text(check.header_text().replace("VHOST_SET_OWNER == 0xaf01", "VHOST_SET_OWNER == 0xaf02"))
    done = run(tree, "-m", "tour.abi.build")
    assert done.returncode == 3 and "VHOST_SET_OWNER" in done.stderr


@pytest.mark.requires("embedded")
def test_headers_that_know_nothing_still_compile(tree: Path) -> None:
    """A machine without linux/vhost.h checks nothing, and one with old headers takes our numbers."""
    header = tree / "tour" / "csrc" / "abi_check.h"
    header.write_text(header.read_text().replace("<linux/vhost.h>", "<linux/no_such_header.h>"))
    assert run(tree, "-m", "tour.abi.build").returncode == 0


def test_importing_the_queues_drags_in_no_heavy_library() -> None:
    heavy = "{'pyroute2', 'typer', 'textual', 'cffi', 'pycparser', 'asyncio', 'subprocess'}"
    code = f"import sys, tour.virtqueue.driver, tour.virtqueue.device; print({heavy} & set(sys.modules))"
    assert run(ROOT, "-c", code).stdout == "set()\n"
