"""DPDK's virtio-user as the driver of our device: every packet that one side counts, the other counts too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.strangers import testpmd
from tests.strangers.ground import Serving, send_into, serving
from tests.strangers.testpmd import Testpmd
from tests.support import require, wait_until

pytestmark = pytest.mark.requires("embedded", "tun")

SPLIT = ("in_order=0", "packed_vq=0")
MANY = 2000
"""Packets that pass before a proof counts them."""
SEGMENTS = (64, 128, 256)


@pytest.mark.parametrize("queues", [1, 2], ids="{}-pairs".format)
@pytest.mark.parametrize("options", [(*SPLIT, "mrg_rxbuf=1"), (*SPLIT, "mrg_rxbuf=0"), ()], ids="-".join)
def test_all_packets_are_counted_on_both_sides(tmp_path: Path, options: tuple[str, ...], queues: int) -> None:
    require("dpdk", testpmd.probe)
    with serving(tmp_path, "--queues", str(queues)) as ours:
        with Testpmd(tmp_path, ours.server.path, options, queues) as driver:
            sends(driver, ours, queues)
            receives(driver, ours, queues)
            sends_back(driver, ours)
            assert driver.process.poll() is None
        ours.await_note("serve.front_end_left")


def sends(driver: Testpmd, ours: Serving, queues: int) -> None:
    """txonly: packets of three descriptors; nothing is lost on the way into the tap."""
    driver.ask("set txpkts " + ",".join(map(str, SEGMENTS)))
    before = ours.tap()
    driver.ask("set fwd txonly")
    driver.ask("start")
    wait_until(lambda: ours.tap().sent > before.sent + MANY, "packets at the tap")
    driver.ask("stop")
    sent = driver.counts()[1]
    wait_until(lambda: ours.tap().sent == before.sent + sent, f"all {sent} packets at the tap")
    assert ours.tap().sent_bytes - before.sent_bytes == sent * sum(SEGMENTS)
    assert ours.tap().dropped == before.dropped
    assert len([count for count in driver.queue_counts("tx") if count]) == queues


def receives(driver: Testpmd, ours: Serving, queues: int) -> None:
    """rxonly: what the network sends and the tap does not drop arrives, on every queue pair."""
    before, had = ours.tap(), driver.counts()[0]
    driver.ask("set fwd rxonly")
    driver.ask("start")
    send_into(ours.server.pid, MANY)
    wait_until(lambda: arrived(driver, had) + ours.tap().dropped - before.dropped == MANY, "all packets at the driver")
    driver.ask("stop")
    assert ours.tap().received - before.received == arrived(driver, had) > MANY // 2
    assert len([count for count in driver.queue_counts("rx") if count]) == queues


def arrived(driver: Testpmd, had: int) -> int:
    return driver.counts()[0] - had


def sends_back(driver: Testpmd, ours: Serving) -> None:
    """macswap: what arrives is sent back, all but what testpmd itself throws away while the ring is full."""
    before, had = ours.tap(), driver.counts()
    driver.ask("set fwd macswap")
    driver.ask("start")
    send_into(ours.server.pid, MANY)
    wait_until(lambda: arrived(driver, had[0]) + ours.tap().dropped - before.dropped == MANY, "all packets there")
    threw_away = re.findall(r"TX-dropped: (\d+)", driver.ask("stop"))
    received, sent = (now - then for now, then in zip(driver.counts(), had, strict=True))
    wait_until(lambda: ours.tap().sent - before.sent == sent, "all packets back")
    assert received == ours.tap().received - before.received
    assert sent + int(threw_away[-1]) == received
    assert sent > MANY // 2
