"""Lessons and the contract suite on the real kernel's vhost-net: one boot, many questions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT, require
from tour.agent import client
from tour.agent.player import Player
from tour.cli.drive import Pump, wait_idle
from tour.lab.boot import Options
from tour.lab.command import run
from tour.lesson.model import load
from tour.trace import events as ev
from tour.trace import store
from tour.trace.transcript import differences, transcript

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab]
VHOST_IOCTL = re.compile(r"ioctl\((\d+), (VHOST_\w+)")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all that ``tests.lab.inside`` found out, in one boot."""
    require("lab")
    folder = tmp_path_factory.mktemp("lab")
    with open(folder / "boot.out", "wb") as out:
        command = [sys.executable, "-m", "tests.lab.inside", str(folder)]
        environ = {"PYTHONPATH": str(ROOT)}
        code = run(
            command, stdin=None, stdout=out.fileno(), stderr=out.fileno(), timeout=900, environ=environ,
            options=Options(out=folder),
        )  # fmt: skip
    assert code == 0, (folder / "boot.out").read_text()
    print((folder / "parts.txt").read_text())
    yield folder


def embedded(lesson: str, fork: str = "") -> list[ev.Event]:
    """The same lesson on the embedded device, here."""
    player = Player(load(lesson), "en", client.connect_local, "embedded")
    pump = Pump(player)
    kept: list[ev.Event] = []
    player.on_event = kept.append
    try:
        if fork:
            player.fork(fork)
        else:
            player.open()
        wait_idle(player, pump)
        while not player.ended:
            player.act()
            wait_idle(player, pump)
            player.next_step()
    finally:
        player.close()
    return kept


@pytest.mark.timeout(1200)
def test_every_part_ended_well(results: Path) -> None:
    parts = [line.split() for line in (results / "parts.txt").read_text().splitlines()]
    bad = {name: (results / f"{name}.out").read_text()[-2000:] for name, code, _ in parts if code != "0"}
    assert not bad, bad


@pytest.mark.parametrize("lesson", ["0", "8"])
def test_embedded_and_kernel_have_equal_transcripts(results: Path, lesson: str) -> None:
    require("tun")
    kernel = store.load(results / f"{lesson}.jsonl")
    assert kernel.hello.device == "kernel"
    assert differences(transcript(kernel.events), transcript(embedded(lesson))) == []


@pytest.mark.parametrize("fork", ["size2", "wrap"])
def test_forks_have_equal_transcripts(results: Path, fork: str) -> None:
    require("tun")
    kernel = store.load(results / f"{fork}.jsonl")
    assert differences(transcript(kernel.events), transcript(embedded("8", fork))) == []


def test_without_a_kick_nothing_moves(results: Path) -> None:
    recording = store.load(results / "forget_kick.jsonl")
    steps = {event.data.step: event.data.ended for event in recording.events if isinstance(event.data, ev.Step)}
    assert steps["kick"] == "still"
    assert not [event for event in recording.events if isinstance(event.data, ev.Packet)]


@pytest.mark.parametrize("lesson", ["0", "8"])
def test_the_reference_recording_is_what_the_kernel_does(results: Path, lesson: str) -> None:
    reference = store.load(load(lesson).recording_path())
    assert reference.whole
    assert reference.hello.device == "kernel"
    again = store.load(results / f"{lesson}.jsonl")
    assert differences(transcript(reference.events), transcript(again.events)) == []
    steps = [(e.data.step, e.data.mark, e.data.ended) for e in reference.events if isinstance(e.data, ev.Step)]
    assert steps == [(e.data.step, e.data.mark, e.data.ended) for e in again.events if isinstance(e.data, ev.Step)]


def test_strace_sees_the_same_ioctls_in_the_same_order(results: Path) -> None:
    seen = VHOST_IOCTL.findall((results / "strace.txt").read_text())
    events = [e.data for e in store.load(results / "straced.jsonl").events if isinstance(e.data, ev.Ioctl)]
    assert len(events) > 15
    assert [(str(data.fd), data.name) for data in events] == seen


def test_the_contract_expectations_are_the_kernel_s(results: Path) -> None:
    found = json.loads((results / "contract.json").read_text())
    expected = json.loads((ROOT / "tests/contract/expected-6.1.json").read_text())
    assert found["kernel"].startswith("6.1.")
    assert found["answers"] == expected["answers"]


def test_plain_passes_on_the_kernel(results: Path) -> None:
    text = (results / "plain.out").read_text()
    assert "Every check held." in text
    assert "On the kernel's vhost-net, Linux 6.1" in text
