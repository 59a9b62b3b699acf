"""A device opened, owned, asked, told and closed again, step by step: what the trace tells of it."""

from __future__ import annotations

import threading

import pytest

from tour.device.contract import TX
from tour.scene import negotiate
from tour.scene.choose import Chosen
from tour.scene.nic import Nic, Plan
from tour.trace import events as ev
from tour.trace import paths
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def nic(timeline: Timeline) -> Nic:
    made = Nic(Recorder(timeline.append), Chosen("embedded", None, "none"), Plan())
    made.open_device()
    return made


def values(timeline: Timeline, *names: str) -> list[paths.Value]:
    return [paths.read(timeline.edge, name) for name in names]


def test_closing_ends_the_worker_and_leaves_nothing(nic: Nic, timeline: Timeline) -> None:
    nic.device.set_owner()
    nic.device.set_vring_num(TX, 8)
    assert values(timeline, "opened", "owner", "worker", "threads", "tx.vring_num") == [1, 1, 1, 1, 8]
    nic.close_device()
    assert values(timeline, "opened", "owner", "worker", "tx.vring_num") == [0, 0, 0, None]
    gone = timeline.edge.last
    assert gone is not None and isinstance(gone.data, ev.Worker) and gone.data.state == "X"
    nic.close()


def test_a_device_without_an_owner_is_closed_without_a_worker(nic: Nic, timeline: Timeline) -> None:
    nic.close_device()
    assert timeline.edge.last is not None and isinstance(timeline.edge.last.data, ev.Closed)
    nic.close()


def test_the_owner_is_the_process_and_the_worker_named_after_the_thread(nic: Nic, timeline: Timeline) -> None:
    caller = threading.Thread(target=nic.device.set_owner)
    caller.start()
    caller.join()
    assert values(timeline, "worker.name") == [f"vhost-{caller.native_id}"]
    assert nic.attempt(nic.device.set_vring_num, TX, 8) == "done"
    nic.close()


def test_vhost_is_told_its_part_of_what_the_driver_took(nic: Nic, timeline: Timeline) -> None:
    nic.ask()
    nic.offer()
    nic.acknowledge()
    assert values(timeline, "driver.features", "features") == [negotiate.DRIVER, None]
    assert nic.attempt(nic.device.set_features, nic.driver_word) == "EOPNOTSUPP"
    assert values(timeline, "last.errno", "features") == ["EOPNOTSUPP", None]
    nic.device.set_features(nic.vhost_features)
    assert values(timeline, "features") == [negotiate.FEATURES]
    nic.close()
