"""Ten thousand packets of a guest in KVM, each kicked by ioeventfd and told back by irqfd: no wake-up is lost."""

from __future__ import annotations

import json
import sys

import pytest

from tests.kvm.test_machine import probe
from tests.support import ROOT, require
from tour.agent.spawn import spawn

TIMES = 10_000


@pytest.mark.parametrize("gear", ["embedded", "engine"])
def test_the_loop_on_our_device(gear: str) -> None:
    require("kvm", probe)
    require("tun")
    with spawn([sys.executable, "-m", "tests.kvm.loop", gear, str(TIMES)], cwd=str(ROOT)) as child:
        child.wait(100)
        said = b"".join(iter(lambda: child.stream.recv(65536), b""))
    check(json.loads(said))


def check(found: dict[str, int]) -> None:
    """All sent, all taken back, and KVM_RUN returned once: at the end.

    Interrupts may be more than kicks: a packet published while the device still runs needs no kick, yet is called.
    """
    assert (found["avail"], found["used"], found["reaped"], found["returns"]) == (TIMES, TIMES, TIMES, 1)
    assert 1 <= found["kicks"] <= TIMES
    assert 1 <= found["interrupts"] <= TIMES
