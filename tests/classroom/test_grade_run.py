"""Many submissions, several judges: what a judge does wrong costs one submission, what is killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.classroom.fake_judge import LAYERS
from tests.classroom.ground import FAKE, by_student, class_folder, graded
from tests.support import ROOT, wait_until
from tour.classroom.grade import Order, grade
from tour.classroom.journal import NAME, Journal
from tour.classroom.judges import JudgeLost, Judges
from tour.classroom.roster import Student
from tour.errors import CapabilityMissing, UsageError
from tour.lesson.exercise import find
from tour.lesson.verdict import Cause


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the fake judge tells what it judged, and a folder for temporary files that must be empty at the end."""
    monkeypatch.setenv("FAKE_JUDGE_LOG", str(tmp_path / "log" / "judged"))
    (tmp_path / "log").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "log" / "judged"


def judged(log: Path) -> list[str]:
    return sorted(line.split()[1] for line in log.read_text().splitlines())


def nothing_left(tmp_path: Path) -> None:
    assert list((tmp_path / "tmp").iterdir()) == []
    assert judges() == []


def judges() -> list[str]:
    """Fake judges of this test's that are still there, whosever children they are by now."""
    ours = f"FAKE_JUDGE_LOG={os.environ['FAKE_JUDGE_LOG']}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words, variables = path.read_bytes().split(b"\0"), path.with_name("environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if FAKE[-1].encode() in words and ours in variables:
            found.append(path.parent.name)
    return found


def test_a_class_is_graded_and_counted(tmp_path: Path, log: Path) -> None:
    sources = {"a": "# a", "b": "# b wrong entries", "c": "# c wrong entries wrong wrap", "d": "# d skip wakeup"}
    report = graded(class_folder(tmp_path / "class", sources), out=tmp_path / "out", jobs=2)
    exercise = find("publish")
    points = {check.id: check.points for check in exercise.check}
    scores = {
        name: (mark.status, mark.score, mark.max_score, mark.skipped) for name, mark in by_student(report).items()
    }
    whole = exercise.points
    assert scores == {
        "a": ("passed", whole, whole, 0),
        "b": ("failed", whole - points["entries"], whole, 0),
        "c": ("failed", whole - points["entries"] - points["wrap"], whole, 0),
        "d": ("passed", whole - points["wakeup"], whole - points["wakeup"], points["wakeup"]),
    }
    assert (report.seed, report.layers) == (7, LAYERS)
    counts = {one.check: (one.passed, one.failed, one.not_run, one.skipped) for one in report.whole.checks}
    assert counts["entries"] == (2, 2, 0, 0)
    assert counts["wakeup"] == (3, 0, 0, 1)
    assert [(one.name, one.count) for one in report.whole.misconceptions] == [("kick-carries-data", 2)]
    assert [(one.name, one.count) for one in report.whole.mistakes] == [("off_by_one", 2)]
    assert judged(log) == ["a", "b", "c", "d"]
    nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("die always", "signal SIGKILL"),
        ("say nonsense", "it said what was not asked"),
        ("defect", "A defect in …/checks.py."),
    ],
)
def test_a_judge_that_fails_costs_nobody_else_and_gives_no_mark(tmp_path: Path, log: Path, does: str, why: str) -> None:
    sources = {"a": "# a", "b": f"# b {does}", "c": "# c", "d": "# d"}
    marks = by_student(graded(class_folder(tmp_path / "class", sources), jobs=2))
    assert {name: mark.status for name, mark in marks.items() if name != "b"} == dict.fromkeys("acd", "passed")
    assert (marks["b"].status, marks["b"].failed) == ("judge failed", why)
    assert judged(log) == ["a", "b", "b", "c", "d"], "it is tried twice, the others once"
    nothing_left(tmp_path)


def test_a_judge_that_fails_once_is_forgiven(tmp_path: Path, log: Path) -> None:
    marks = by_student(graded(class_folder(tmp_path / "class", {"a": "# a die once", "b": "# b"})))
    assert {mark.status for mark in marks.values()} == {"passed"}
    assert judged(log) == ["a", "a", "b"]


def test_a_judge_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judges.__init__, "__defaults__", (FAKE, 0.3))
    marks = by_student(graded(class_folder(tmp_path / "class", {"a": "# a hang", "b": "# b"}), jobs=2))
    assert (marks["a"].failed, marks["b"].status) == ("it said nothing in time", "passed")
    nothing_left(tmp_path)


def test_judges_that_cannot_start_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = class_folder(tmp_path / "class", {"a": "# a"})
    monkeypatch.setenv("FAKE_JUDGE", "stillborn")
    with pytest.raises(JudgeLost) as lost:
        graded(place)
    assert "no luck" in lost.value.why
    monkeypatch.setenv("FAKE_JUDGE", "incapable")
    with pytest.raises(CapabilityMissing, match="no namespaces"):
        graded(place)
    nothing_left(tmp_path)


def test_a_second_run_judges_only_what_is_new(tmp_path: Path, log: Path) -> None:
    place, out = (
        class_folder(tmp_path / "class", {"a": "# a", "b": "# b wrong index", "c": "# c die always"}),
        tmp_path / "out",
    )
    first = graded(place, out=out, seed=None)
    log.unlink()
    (place / "b" / "publish.py").write_text("# b again")
    second = graded(place, out=out, seed=None)
    assert judged(log) == ["b", "c", "c"], "what changed, and what the judge failed at"
    assert second.seed == first.seed
    assert by_student(second)["a"] == by_student(first)["a"]
    log.unlink()
    graded(place, out=out, seed=first.seed + 1)
    assert judged(log) == ["a", "b", "c", "c"], "another seed is another question"


def test_a_journal_cut_off_anywhere_is_gone_on_with(tmp_path: Path, log: Path) -> None:
    place, out = class_folder(tmp_path / "class", {name: f"# {name}" for name in "abc"}), tmp_path / "out"
    whole = by_student(graded(place, out=out))
    data = (out / NAME).read_bytes()
    lines = data.count(b"\n")
    for length in (0, 1, len(data) // 2, len(data) - 1, len(data)):
        (out / NAME).write_bytes(data[:length])
        log.write_text("")
        assert by_student(graded(place, out=out)) == whole
        assert len(judged(log)) == lines - data[:length].count(b"\n")
        assert (out / NAME).read_bytes().count(b"\n") == lines


def test_lines_of_other_programs_are_no_verdicts(tmp_path: Path, log: Path) -> None:
    place, out = class_folder(tmp_path / "class", {"a": "# a"}), tmp_path / "out"
    graded(place, out=out)
    line = json.loads((out / NAME).read_text())
    strange = [b"\xff\n", b"{}\n", json.dumps(line | {"tour": "99"}).encode() + b"\n"]
    (out / NAME).write_bytes(b"".join(strange))
    graded(place, out=out)
    assert judged(log) == ["a", "a"]
    assert (out / NAME).read_bytes().startswith(b"".join(strange))


def test_two_runs_do_not_share_a_journal(tmp_path: Path) -> None:
    place = class_folder(tmp_path / "class", {"a": "# a"})
    with Journal(tmp_path / "out"), pytest.raises(UsageError, match="Another run"):
        graded(place, out=tmp_path / "out")


def test_a_submission_that_changes_is_graded_as_it_was_read(tmp_path: Path) -> None:
    place = class_folder(tmp_path / "class", {"a": "# a", "b": "# b"})

    def meanwhile(done: int, whole: int, kept: int) -> None:
        (place / "a" / "publish.py").write_text("# a wrong entries")

    report = grade(Order([place], seed=7, command=FAKE), meanwhile)
    assert by_student(report)["a"].status == "failed", "changed before it was read"
    report = grade(Order([place], seed=7, command=FAKE), lambda done, whole, kept: rewritten(place, done))
    assert by_student(report)["a"].status == "failed", "changed after it was read"


def rewritten(place: Path, done: int) -> None:
    if done:
        (place / "a" / "publish.py").write_text("# a")


def test_without_namespaces_there_is_one_submission(tmp_path: Path) -> None:
    place = class_folder(tmp_path / "class", {"a": "", "b": ""})
    with pytest.raises(UsageError, match="one submission"):
        graded(place / "a", isolation="container", paths=[place / "a", place / "b"])
    marks = by_student(graded(place, isolation="container", exercise="publish"))
    assert list(marks) == ["class"], "whatever lies in it, it is one student's"
    assert marks["class"].checks[0].cause == Cause("refused", detail="publish.py is there more than once.")


def test_those_who_are_absent_have_no_points(tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\na,Ann\nz,Zed\n")
    marks = by_student(graded(class_folder(tmp_path / "class", {"a": "# a"}), roster=roster))
    assert (marks["z"].status, marks["z"].score, marks["z"].student) == ("missing", 0, Student("z", "Zed", "", True))


# -- killed in the middle ---------------------------------------------------------------------------------

PROGRAM = (
    "import sys, tempfile; from pathlib import Path; from tour.classroom.grade import Order, grade; "
    "tempfile.tempdir = sys.argv[3]; "
    f"grade(Order([Path(sys.argv[1])], jobs=2, out=Path(sys.argv[2]), command={FAKE!r}))"
)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path, log: Path, number: signal.Signals) -> None:
    names = [f"s{at:02d}" for at in range(40)]
    place, out = class_folder(tmp_path / "class", {name: f"# {name} slowly" for name in names}), tmp_path / "out"
    argv = [sys.executable, "-c", PROGRAM, str(place), str(out), str(tmp_path / "tmp")]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        wait_until(lambda: (out / NAME).exists() and (out / NAME).read_bytes().count(b"\n") >= 10, "ten verdicts")
        run.send_signal(number)
    kept = (out / NAME).read_bytes().count(b"\n")
    assert 10 <= kept < 40
    wait_until(lambda: judges() == [], "the judges to end by themselves")
    log.write_text("")
    report = graded(place, out=out, seed=None, jobs=2)
    assert len(judged(log)) == 40 - kept, "nothing is judged again"
    assert sorted(by_student(report)) == names
    assert {mark.status for mark in report.marks} == {"passed"}
    nothing_left(tmp_path)
    assert [path.name for path in out.iterdir()] == [NAME]
