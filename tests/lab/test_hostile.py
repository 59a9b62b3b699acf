"""The catalogue of named violations against the kernel's own vhost-net, in a machine that may spin as it likes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tour.lab.command import run
from tour.testing.hostile.catalogue import against

pytestmark = pytest.mark.requires("lab")
SECONDS = 400.0


def test_the_kernel_does_what_the_catalogue_says_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fd = os.open(out, os.O_CREAT | os.O_WRONLY, 0o600)
    command = [sys.executable, "-m", "tour.testing.hostile", "--victim", "kernel", "--json"]
    try:
        code = run(command, stdin=None, stdout=fd, timeout=SECONDS)
    finally:
        os.close(fd)
    found = {one["id"]: one for one in map(json.loads, out.read_text().splitlines())}
    assert found.keys() == {entry.id for entry in against("kernel")}
    assert [(name, one["wrong"]) for name, one in found.items() if one["wrong"]] == []
    assert code == 0
