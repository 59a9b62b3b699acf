"""The message rules: our server keeps them all, DPDK's back-end all but those named."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.vhost_user.conftest import Serve, gear, serve
from tests.support import require, wait_until
from tour.errors import CapabilityMissing
from tour.testing.messages import OK, answers, rules

__all__ = ["gear", "serve"]


def test_our_server_keeps_every_rule(serve: Serve, gear: str) -> None:
    got = answers(serve(gear=gear).path)
    assert len(got) == len(list(rules())) >= 13
    assert {name: answer for name, answer in got.items() if answer != OK} == {}


def probe_dpdk() -> None:
    if not shutil.which("dpdk-testpmd"):
        raise CapabilityMissing("dpdk", "dpdk-testpmd is not installed.", "", "sudo apt-get install dpdk-dev")


@pytest.fixture
def dpdk(tmp_path: Path) -> Iterator[Path]:
    """DPDK's back-end on a socket, dropping what is sent."""
    require("dpdk", probe_dpdk)
    path = tmp_path / "dpdk.sock"
    words = f"--lcores 0@0,1@0 --no-huge -m 128 --no-pci --no-telemetry --file-prefix rules{tmp_path.name}"
    more = "--forward-mode=rxonly --auto-start --no-mlockall --total-num-mbufs=4096"
    argv = ["dpdk-testpmd", *words.split(), f"--vdev=net_vhost0,iface={path},queues=1", "--", *more.split()]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: path.exists() or process.poll() is not None, "DPDK's back-end")
        yield path
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


DPDK_BREAKS = {"what a disabled ring sends is taken and discarded"}
"""DPDK 22.11 leaves it in the ring (lib/vhost/virtio_net.c: a queue that is not enabled is passed over)."""


def test_our_front_end_finds_dpdk_keeping_the_other_rules(dpdk: Path) -> None:
    assert {name for name, answer in answers(dpdk).items() if answer != OK} == DPDK_BREAKS
