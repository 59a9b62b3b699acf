"""``tour watch --qmp`` on a QEMU with vhost=on: Linux' own vhost-net carries a guest's pings, seen from outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tour.abi.names import Feature
from tour.lab.boot import Options
from tour.lab.command import run
from tour.trace import events as ev
from tour.trace import store
from tour.trace.fold import fold_all

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("watched")
    with open(made / "boot.out", "wb") as out:
        code = run(
            [sys.executable, "-m", "tests.lab.watched", str(made)], stdin=None, stdout=out.fileno(),
            stderr=out.fileno(), timeout=540, environ={"PYTHONPATH": str(ROOT)}, options=Options(out=made),
        )  # fmt: skip
    assert code == 0, (made / "boot.out").read_text()[-2000:]
    return made


@pytest.fixture(scope="module")
def recording(folder: Path) -> store.Recording:
    return store.load(folder / "watch.jsonl")


def samples(recording: store.Recording, queue: int) -> list[ev.Sample]:
    return [e.data for e in recording.events if isinstance(e.data, ev.Sample) and e.data.queue == queue]


def test_it_is_a_recording_of_the_kernels_device(recording: store.Recording, folder: Path) -> None:
    found = json.loads((folder / "found.json").read_text())
    assert recording.whole and not found["kept"]
    assert (recording.hello.device, recording.hello.lesson) == ("kernel", ev.WATCH)
    watching = next(event.data for event in recording.events if isinstance(event.data, ev.Watching))
    assert (watching.by, watching.pid) == ("qmp", found["pid"]) and watching.name.startswith("qemu-system")


@pytest.mark.parametrize("queue", [0, 1])
def test_the_guests_pings_are_seen_to_be_used_one_after_another(recording: store.Recording, queue: int) -> None:
    told = [sample for sample in samples(recording, queue) if sample.running]
    assert len(told) > 5
    used = [sample.used_idx for sample in told]
    assert used == sorted(used) and used[-1] > used[0]
    assert all(sample.used_idx <= sample.avail_idx <= sample.used_idx + sample.num for sample in told)
    assert all(event.inferred for event in recording.events if isinstance(event.data, ev.Sample | ev.Rates))


def test_the_private_index_is_told_only_where_the_words_prove_it(recording: store.Recording) -> None:
    assert all(sample.last_avail_idx is None for sample in samples(recording, 0) if sample.avail_idx != sample.used_idx)
    resting = [sample for sample in samples(recording, 1) if sample.avail_idx == sample.used_idx]
    assert resting and all(sample.last_avail_idx == sample.used_idx for sample in resting)


def test_completions_are_counted_and_what_cannot_be_known_is_not(recording: store.Recording) -> None:
    totals = [event.data for event in recording.events if isinstance(event.data, ev.Rates) and event.data.queue == 1]
    grown = samples(recording, 1)[-1].used_idx - samples(recording, 1)[0].used_idx
    assert (totals[-1].chains or 0) - (totals[0].chains or 0) >= grown - 2
    assert all(one.packets is None and one.kicks is None and one.calls is None for one in totals)


def test_the_worker_and_the_features_are_told(recording: store.Recording) -> None:
    state = fold_all(recording.events)
    assert state.watching is not None and state.worker.name == f"vhost-{state.watching.pid}"
    assert state.driver_features is not None and Feature.VIRTIO_RING_F_EVENT_IDX.on(state.driver_features)


def test_the_end_of_qemu_is_said(recording: store.Recording, folder: Path) -> None:
    assert "QEMU has ended" in json.loads((folder / "found.json").read_text())["end"]
    assert not samples(recording, 1)[-1].running


def test_nothing_can_be_done_to_it(recording: store.Recording) -> None:
    errors = [event.data for event in recording.events if isinstance(event.data, ev.Error)]
    assert len(errors) == 1 and "only looked at" in errors[0].what
