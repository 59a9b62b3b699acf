"""A whole class by the real judge: right, wrong and hostile hands, each with exactly the marks it must have."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classroom.crowd import CALLED, HOSTILE, Truth, crowd
from tests.support import ROOT, require, wait_until
from tour.classroom.grade import Order, cores, grade
from tour.classroom.journal import NAME
from tour.classroom.marks import Mark, Report

CROWD = 6 * len(HOSTILE + list(CALLED))
"""So many that every hostile way is among them: about a minute on two cores. 500 are graded by hand."""
KILLED = 18
SEED = 20261123
SUBREAPER = 36

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Orphans become this process's children, temporary files go to a folder of the test's: neither may be there."""
    require("namespaces")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    mounts, before = mounted(), children()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    try:
        yield
        wait_until(lambda: swept() <= before, "every process to be gone", 20)
    finally:
        ctypes.CDLL(None).prctl(SUBREAPER, 0, 0, 0, 0)
    assert list(temporary.iterdir()) == []
    assert not [line for line in mounted() - mounts if "tour" in line or str(tmp_path) in line]


def mounted() -> set[str]:
    return set(Path("/proc/self/mounts").read_text().splitlines())


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def swept() -> set[int]:
    """Children that still run: those that ended are taken away first."""
    for pid in children():
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue
    return children()


def right(mark: Mark, truth: Truth) -> None:
    told = {check.id: check.passed for check in mark.checks}
    assert told == truth.checks, f"{mark.student.id}: {truth}, {mark.checks}, {mark.output!r}"
    assert mark.score == truth.score
    assert (mark.status == "passed") == (truth.kind == "right")
    assert (mark.failed, mark.skipped) == ("", 0)


def compared(report: Report, truths: dict[str, Truth]) -> None:
    assert {mark.student.id for mark in report.marks} == set(truths)
    for mark in report.marks:
        right(mark, truths[mark.student.id])


def test_each_has_exactly_its_marks(tmp_path: Path) -> None:
    truths = crowd(tmp_path / "class", CROWD, SEED)
    report = grade(Order([tmp_path / "class"], jobs=cores(), seed=SEED, out=tmp_path / "out"))
    compared(report, truths)
    hostile = {truth.name for truth in truths.values() if truth.kind == "hostile"}
    assert hostile == {one.name for one in HOSTILE} | set(CALLED)
    assert {"user", "net", "mount", "pid", "seccomp", "no_new_privs"} <= set(report.layers)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NAME]


PROGRAM = (
    "import sys; from pathlib import Path; from tour.classroom.grade import Order, grade; "
    f"grade(Order([Path(sys.argv[1])], jobs=2, seed={SEED}, out=Path(sys.argv[2])))"
)


def test_killed_half_way_it_goes_on(tmp_path: Path) -> None:
    truths, journal = crowd(tmp_path / "class", KILLED, SEED), tmp_path / "out" / NAME
    argv = [sys.executable, "-P", "-c", PROGRAM, str(tmp_path / "class"), str(tmp_path / "out")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL) as run:
        wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= KILLED // 3, "a third", 120)
        run.send_signal(signal.SIGKILL)
    kept = journal.read_bytes().splitlines(keepends=True)
    seen: list[int] = []
    order = Order([tmp_path / "class"], jobs=2, seed=SEED, out=tmp_path / "out")
    compared(grade(order, lambda done, whole, again: seen.append(again)), truths)
    whole = [line for line in kept if line.endswith(b"\n")]
    assert seen[-1] == len(whole) < KILLED
    assert journal.read_bytes().splitlines(keepends=True)[: len(whole)] == whole, "no verdict is lost or given anew"
