"""Rows measured for real, few frames and few rounds: that they run and tell, not how fast this machine is."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from tests.support import in_own_network, require
from tour.bench.report import Report
from tour.errors import CapabilityMissing

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


def bench(*words: str) -> Report:
    require("tun")
    command = [sys.executable, "-m", "tour.cli", "bench", "--rounds", "3", "--json", *words]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=100, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    report = msgspec.json.decode(done.stdout, type=Report)
    assert not any(result.failed for result in report.results), done.stderr.decode()
    return report


def test_rows_in_one_process_are_measured() -> None:
    names = ["tx-tap", "rx-tap", "ring", "latency"]
    report = bench(*names)
    assert [result.name for result in report.results] == names
    for result in report.results:
        assert len(result.ours) == 3 and all(value > 0 for value in result.ours) and result.ratio is not None
        assert len(result.peer) == (3 if result.peer_name else 0)
    tx, _, _, latency = report.results
    assert 0 < tx.more["kicks"] < 1000 and tx.more["calls"] < 100, "of 1000 packets"
    assert latency.more["p50"] <= latency.more["p99"]


def test_testpmd_drives_both_back_ends() -> None:
    from tour.bench.testpmd import require_dpdk

    require("dpdk", require_dpdk)
    [result] = bench("vhost-user-null").results
    assert len(result.ours) == len(result.peer) == 3 and min(result.ours + result.peer) > 1000


def test_a_peer_that_is_not_installed_is_skipped_with_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from tour.bench.testpmd import require_dpdk

    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CapabilityMissing) as lacking:
        require_dpdk()
    assert lacking.value.name == "dpdk" and "apt-get install dpdk-dev" in lacking.value.fix


@in_own_network
def test_every_frame_of_the_source_waits_at_the_tap_and_large_frames_pass() -> None:
    from tour.bench.ground import SMALL, Source, header, own_tap, tcp_frame
    from tour.virtqueue.net_header import NetHeader

    with own_tap() as tap:
        source = Source(tap.name)
        assert source.fill(5000) == 5000
        frames = [tap.read() for _ in range(5001)]
        assert frames[:5000] == [bytes(12) + SMALL] * 5000 and frames[5000] is None
        large = header(65226) + tcp_frame(65226)
        assert tap.write(large) == len(large), "the tap takes 64 KiB that it is to cut"
        assert NetHeader.unpack(header(1514)).gso_type == 0 != NetHeader.unpack(header(65226)).gso_type
        source.sock.close()
