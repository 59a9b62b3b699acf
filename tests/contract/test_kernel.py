"""The same suite on the kernel's own vhost-net: here if there is one, and in the lab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tour.lab.command import run

EXPECTED = "tests/contract/expected-6.1.json"
COMMAND = [sys.executable, "-m", "tour.testing", "--device", "kernel", "--expect", EXPECTED]


@pytest.mark.requires("kernel")
def test_this_machines_kernel() -> None:
    if not os.uname().release.startswith("6.1."):
        pytest.skip(f"the answers are those of Linux 6.1, this is {os.uname().release}")
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.lab
@pytest.mark.timeout(300)
@pytest.mark.requires("lab")
def test_the_labs_kernel(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with told.open("wb") as file:
        code = run(COMMAND, stdin=None, stdout=file.fileno(), stderr=file.fileno(), timeout=240)
    wrong = [line for line in told.read_text(errors="replace").splitlines() if not line.startswith("ok ")]
    assert code == 0, "\n".join(wrong)
