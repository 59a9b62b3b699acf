"""Lessons and the contract suite on the real vhost-net of three kernels: one boot of each, many questions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.lab.inside import forks, record, recording
from tests.support import ROOT, require
from tour.lab.boot import Options
from tour.lab.command import run
from tour.lab.kernel import find_kernel
from tour.lesson.course import course
from tour.lesson.differences import EMBEDDED, answers, device_of, unlike
from tour.lesson.model import load
from tour.trace import events as ev
from tour.trace import store
from tour.trace.transcript import transcript

pytestmark = [pytest.mark.requires("lab"), pytest.mark.lab, pytest.mark.timeout(1800)]
KERNELS = {name: partial(find_kernel, name) for name in ("6.1", "6.12", "newest")}
BASE = "6.1"
MORE = {BASE: ["forks"], "newest": ["zh"]}
"""What one kernel only is asked: side by side the two take about as long."""
TOGETHER = 2
"""Machines that run side by side; each is busy with one thread (software emulation)."""
READY = [entry.id for entry in course().ready]
VHOST_IOCTL = re.compile(r"ioctl\((\d+), (VHOST_\w+)")

each_kernel = pytest.mark.parametrize("kernel", KERNELS)
each_lesson = pytest.mark.parametrize("lesson", READY)
ON_OURS = [lesson for lesson in READY if "kernel" not in load(lesson).needs]
"""Lessons that run on our own device too."""
ENDS_APART = {"18": [("back", "quiescent", "still")]}
"""More frames wait than there are buffers: vhost-net takes them from the tap ahead (vhost_net_buf_produce()), we do
not."""
OURS = ("embedded", "engine")
each_of_ours = pytest.mark.parametrize("device", OURS)


class Labs:
    """All machines that are wanted, started at the first question; ``results`` waits for one of them."""

    def __init__(self, folder: Path, kernels: set[str]) -> None:
        self.pool = ThreadPoolExecutor(TOGETHER)
        self.folders = {kernel: folder / kernel for kernel in KERNELS}
        self.codes: dict[str, Future[int]] = {}
        for kernel in [name for name in KERNELS if name in kernels]:
            self.folders[kernel].mkdir()
            self.codes[kernel] = self.pool.submit(self._boot, kernel)

    def _boot(self, kernel: str) -> int:
        """Run ``tests.lab.inside`` there; its exit code."""
        folder = self.folders[kernel]
        command = [sys.executable, "-m", "tests.lab.inside", str(folder), *MORE.get(kernel, [])]
        with open(folder / "boot.out", "wb") as out:
            return run(
                command, stdin=None, stdout=out.fileno(), stderr=out.fileno(), timeout=1600,
                environ={"PYTHONPATH": str(ROOT)}, options=Options(kernel, folder, ("kvm_amd",)),
            )  # fmt: skip

    def results(self, kernel: str) -> Path:
        """The folder with all that was found out on ``kernel``."""
        folder = self.folders[kernel]
        assert self.codes[kernel].result() == 0, (folder / "boot.out").read_text()
        return folder

    def seconds(self, kernel: str) -> str:
        """What each part took, in seconds."""
        parts = [line.split() for line in (self.folders[kernel] / "parts.txt").read_text().splitlines()]
        return ", ".join(f"{name} {seconds}" for name, _, seconds in parts)


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Labs]:
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = {params.get("kernel", BASE) for params in calls} | {BASE}
    labs = Labs(tmp_path_factory.mktemp("labs"), {kernel for kernel in asked if available(kernel)})
    yield labs
    labs.pool.shutdown()
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(*("", *(f"lab {kernel}: {labs.seconds(kernel)}" for kernel in labs.codes)), sep="\n")


def available(kernel: object) -> bool:
    try:
        KERNELS[str(kernel)]()
    except Exception:  # noqa: BLE001 - any reason will be told by require
        return False
    return True


@pytest.fixture
def results(labs: Labs, request: pytest.FixtureRequest) -> Path:
    """The findings on the kernel of the test, by default the one the reference recordings were made on."""
    callspec = getattr(request.node, "callspec", None)
    kernel = callspec.params.get("kernel", BASE) if callspec else BASE
    require("kernels", KERNELS[kernel])
    return labs.results(kernel)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], store.Recording]:
    """Makes and reads the recording of the same lesson or fork here, on the embedded device: its Python gear
    (``embedded``) or its C engine (``engine``)."""
    folders = {device: tmp_path_factory.mktemp(device) for device in OURS}
    return lambda device, lesson, vary: store.load(record(folders[device], lesson, vary, device))


def steps(events: tuple[ev.Event, ...]) -> list[tuple[str, str, str | None]]:
    return [(e.data.step, e.data.mark, e.data.ended) for e in events if isinstance(e.data, ev.Step)]


@each_kernel
def test_every_part_ended_well(results: Path, kernel: str) -> None:
    parts = [line.split() for line in (results / "parts.txt").read_text().splitlines()]
    bad = {name: (results / f"{name}.out").read_text()[-3000:] for name, code, _ in parts if code != "0"}
    assert not bad, bad


@pytest.mark.parametrize(("kernel", "lang"), [*((kernel, "en") for kernel in KERNELS), ("newest", "zh")])
def test_all_lessons_pass_in_both_languages(results: Path, kernel: str, lang: str) -> None:
    lines = (results / f"run_{lang}.out").read_text().splitlines()
    told = [line for line in lines if line.startswith("ok")]
    release = store.load(recording(results, "8")).hello.kernel
    assert [line.split()[1] for line in told] == [f"{lesson}" for lesson in READY]
    assert all(release in line for line in told), lines


@each_kernel
@each_lesson
def test_the_kernel_does_what_the_reference_recording_and_the_list_of_differences_say(
    results: Path, lesson: str, kernel: str
) -> None:
    reference = store.load(load(lesson).recording_path())
    found = store.load(recording(results, lesson))
    assert reference.whole and reference.hello.device == found.hello.device == "kernel"
    device = device_of(found.hello)
    assert unlike(lesson, transcript(reference.events), transcript(found.events), device) == []
    assert steps(found.events) == steps(reference.events)


@each_of_ours
@pytest.mark.parametrize("lesson", ON_OURS)
def test_the_embedded_device_does_too_with_either_gear(
    lesson: str, device: str, here: Callable[[str, str, str], store.Recording]
) -> None:
    require("tun")
    reference, found = store.load(load(lesson).recording_path()), here(device, lesson, "")
    assert found.whole and found.hello.ran_on == device
    assert unlike(lesson, transcript(reference.events), transcript(found.events), EMBEDDED) == []
    apart = [(one[0], one[2], other[2]) for one, other in zip(steps(reference.events), steps(found.events), strict=True)
             if one != other]  # fmt: skip
    assert apart == ENDS_APART.get(lesson, [])


@each_of_ours
@pytest.mark.parametrize(("lesson", "fork"), [each for each in forks() if each[0] in ON_OURS])
def test_forks_have_equal_transcripts(
    results: Path, lesson: str, fork: str, device: str, here: Callable[[str, str, str], store.Recording]
) -> None:
    require("tun")
    kernel = store.load(recording(results, lesson, fork))
    assert unlike("", transcript(kernel.events), transcript(here(device, lesson, fork).events), EMBEDDED) == []


@pytest.mark.parametrize(("lesson", "fork"), [each for each in forks() if each[0] not in ON_OURS])
def test_forks_that_only_the_kernel_has_hold_what_they_check(results: Path, lesson: str, fork: str) -> None:
    found, text = store.load(recording(results, lesson, fork)), load(lesson)
    checks = [event.data for event in found.events if isinstance(event.data, ev.Check)]
    took = [step for step, mark, _ in steps(found.events) if mark == "end"]
    assert took == [step.id for step in text.step][-len(took) :]
    expected = [(step, check.id) for step in took for check in text.spec(step, fork).check]
    assert [(check.step, check.id) for check in checks] == expected
    assert found.whole and checks and all(check.ok for check in checks), checks


def test_without_a_kick_nothing_moves(results: Path) -> None:
    found = store.load(recording(results, "8", "forget_kick"))
    ended = {event.data.step: event.data.ended for event in found.events if isinstance(event.data, ev.Step)}
    assert ended["kick"] == "still"
    assert not [event for event in found.events if isinstance(event.data, ev.Packet)]


def test_strace_sees_the_same_ioctls_in_the_same_order(results: Path) -> None:
    seen = VHOST_IOCTL.findall((results / "strace.txt").read_text())
    events = [e.data for e in store.load(results / "straced.jsonl").events if isinstance(e.data, ev.Ioctl)]
    assert len(events) > 15
    assert [(str(data.fd), data.name) for data in events] == seen


@each_kernel
def test_the_contract_suite_gets_the_answers_of_6_1_and_the_listed_others(results: Path, kernel: str) -> None:
    found = json.loads((results / "contract.json").read_text())
    known = json.loads((ROOT / "tests/contract/expected-6.1.json").read_text())["answers"]
    assert kernel == "newest" or found["kernel"].startswith(f"{kernel}.")
    expected = answers(known, found["kernel"])
    assert found["answers"].keys() == expected.keys()
    apart = {name: (answer, expected[name]) for name, answer in found["answers"].items() if answer != expected[name]}
    assert apart == {}
