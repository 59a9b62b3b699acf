"""``python -m tour.testing``: its lines and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, require


def suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tour.testing", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def _tun() -> None:
    require("tun")


def test_an_answer_that_differs_is_shown_and_the_exit_code_is_1(tmp_path: Path) -> None:
    expected = tmp_path / "expected.json"
    expected.write_text(json.dumps({"answers": {"set_vring_num 3": "0"}}))
    done = suite("--device", "embedded", "--expect", str(expected), "--only", "set_vring_num 32767")
    assert done.returncode == 1
    done = suite("--device", "embedded", "--expect", str(expected), "--only", "set_vring_num 3")
    assert done.returncode == 1
    assert 'FAIL set_vring_num 3: "EINVAL"   expected "0"' in done.stdout


def test_recorded_answers_are_met_again(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.json"
    first = suite("--device", "embedded", "--record", str(recorded), "--only", "set_owner")
    assert first.returncode == 0, first.stdout + first.stderr
    assert json.loads(recorded.read_text())["device"] == "embedded"
    assert suite("--device", "embedded", "--expect", str(recorded), "--only", "set_owner").returncode == 0


@pytest.mark.skipif(os.path.exists("/dev/vhost-net"), reason="this machine has vhost-net")
def test_a_missing_kernel_device_is_exit_code_3_with_the_fix() -> None:
    done = suite("--device", "kernel", "--only", "set_owner")
    assert done.returncode == 3
    assert "sudo modprobe vhost_net" in done.stderr


def test_the_machines_own_network_is_left_alone() -> None:
    before = sorted(os.listdir("/sys/class/net"))
    assert suite("--device", "embedded", "--only", "a frame goes out").returncode == 0
    assert sorted(os.listdir("/sys/class/net")) == before
