"""The whole loop on Linux' own vhost-net, ten thousand times, in the lab's nested KVM: kick, worker, tap, call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.kvm.test_loop import TIMES, check
from tests.support import ROOT
from tour.lab.boot import Options
from tour.lab.command import run

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(600)]


def test_no_wake_up_is_lost_between_a_guest_and_the_kernels_vhost(tmp_path: Path) -> None:
    with open(tmp_path / "said", "wb") as out:
        code = run(
            [sys.executable, "-m", "tests.kvm.loop", "kernel", str(TIMES)], stdin=None, stdout=out.fileno(),
            stderr=out.fileno(), timeout=400, environ={"PYTHONPATH": str(ROOT)}, options=Options(modules=("kvm_amd",)),
        )  # fmt: skip
    said = (tmp_path / "said").read_text()
    assert code == 0, said[-2000:]
    found = json.loads(said)
    check(found)
    assert found["statistics"]["io_exits"] > found["kicks"], "ioeventfd saves the trip to us, not the exit"
