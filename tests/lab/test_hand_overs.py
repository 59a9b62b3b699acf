"""100 hand-overs under load, the kernel's vhost-net to an embedded device and back, in the lab."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.scene.test_hand_overs import flawless
from tests.support import ROOT
from tour.lab.command import run

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(400)]


@pytest.mark.parametrize(("gear", "count"), [("engine", 100), ("python", 6)])
def test_nothing_is_lost_or_doubled(gear: str, count: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fd = os.open(out, os.O_CREAT | os.O_WRONLY, 0o600)
    command = [sys.executable, "-m", "tests.scene.hand_overs", "kernel", gear, str(count)]
    try:
        code = run(command, stdin=None, stdout=fd, timeout=350, environ={"PYTHONPATH": str(ROOT)})
    finally:
        os.close(fd)
    assert code == 0
    flawless(json.loads(out.read_text().splitlines()[-1]), count)
