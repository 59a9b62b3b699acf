"""The same suite on the kernel's own vhost-net, where this machine has one. (``tests/lab`` asks those of the lab.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support import ROOT
from tour.lesson.differences import answers

EXPECTED = ROOT / "tests/contract/expected-6.1.json"
COMMAND = [sys.executable, "-m", "tour.testing", "--device", "kernel", "--record", "-"]


@pytest.mark.requires("kernel")
def test_this_machines_kernel() -> None:
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["answers"] == answers(json.loads(EXPECTED.read_text())["answers"], os.uname().release)
