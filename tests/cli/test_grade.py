"""``tour grade`` as it is typed: its exit codes, its streams, its words."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.classroom.ground import class_folder
from tests.cli.command import TOUR, environment, tour
from tests.support import require, wait_until
from tour.cli.grade import Bar
from tour.lesson.exercise import find, variants

REPORTS = ["grades.csv", "grades.json", "grades.md", "grades.txt", "gradescope", "journal.jsonl", "junit.xml"]


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """One right, one wrong, one empty."""
    require("namespaces")
    exercise = find("publish")
    wrong = variants(exercise, "wrong")[0].source
    place = class_folder(tmp_path / "class", {"alice": exercise.solution(), "bob": wrong})
    (place / "carol").mkdir()
    return place


def test_a_class_into_a_folder(submissions: Path, tmp_path: Path) -> None:
    roster, out = tmp_path / "roster.csv", tmp_path / "out"
    roster.write_text("id,name\nalice,Alice\nbob,Bob\ncarol,Carol\ndan,Dan\n")
    formats = "text,json,csv,markdown,junit,gradescope"
    words = ("grade", submissions, "--format", formats, "--out", out, "--roster", roster, "--seed", "5")
    told, said = tour(*words, code=1)
    assert told == ""
    assert "Graded: 4; passed: 1, not passed: 3." in said and "4 of 4 graded" in said
    assert "written: gradescope/ (4)\n" in said and "written: grades.csv\n" in said
    assert sorted(path.name for path in out.iterdir()) == sorted([*REPORTS, "misconceptions.csv"])
    report = json.loads((out / "grades.json").read_text())
    assert (report["seed"], report["isolation"]) == (5, "full")
    assert {one["student"]["id"]: one["status"] for one in report["marks"]} == {
        "alice": "passed", "bob": "failed", "carol": "missing", "dan": "missing",
    }  # fmt: skip
    _, said = tour(*words, "--exit-zero")
    assert "2 of them before" in said


def test_one_submission_to_standard_output(submissions: Path) -> None:
    told, said = tour("grade", submissions / "alice" / "publish.py", code=0)
    assert "no wake-up is lost" in told and "12 of 12 points" in told
    assert "of 1 graded" not in said
    told, _ = tour("grade", submissions / "bob", "--format", "json", "--lang", "zh", code=1)
    assert json.loads(told)["schema"] == "vhost-tour/grades/1"
    told, said = tour("grade", submissions / "bob", "--lang", "zh", "--exit-zero")
    assert "未通过" in told and "已评 1 份提交" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "There is no nowhere."),
        (("--format", "pdf"), "There is no format 'pdf'."),
        (("--format", "json,csv"), "Several files need a place."),
        (("--isolation", "none"), "There is no isolation 'none'."),
        (("--exercise", "42"), "There is no exercise '42'."),
        (("--jobs", "1000"), "--jobs takes 1 to 64."),
        (("--roster", "/nowhere.csv"), "The roster nowhere.csv cannot be read."),
        (("--format", "classroom50"), "classroom50 needs CLASSROOM"),
        (("--isolation", "container", "nowhere"), "There is no nowhere."),
    ],
)
def test_what_is_asked_wrongly_is_said(submissions: Path, words: tuple[str, ...], said: str) -> None:
    paths = () if words == ("nowhere",) else (submissions,)
    told, heard = tour("grade", *paths, *words, code=2)
    assert told == "" and said in heard
    _, heard = tour("grade", *paths, *words, "--lang", "zh", code=2)
    assert said not in heard


def test_the_folder_it_is_called_in_is_not_its_library(submissions: Path) -> None:
    """A student's file may be called as a module of ours."""
    for name in ("tour.py", "msgspec.py", "json.py"):
        (submissions / name).write_text("raise SystemExit(77)\n")
    done = subprocess.run(
        [TOUR[0], "-P", *TOUR[1:], "grade", str(submissions / "alice")], cwd=submissions, env=environment(),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, "12 of 12" in done.stdout) == (0, True), done.stderr


def test_ctrl_c_ends_it_and_leaves_nothing(submissions: Path, tmp_path: Path) -> None:
    (submissions / "bob" / "publish.py").write_text("while True:\n    pass\n")
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    argv = [*TOUR, "grade", str(submissions), "--out", str(out), "--jobs", "1"]
    with subprocess.Popen(argv, env=environment(TMPDIR=str(temporary)), stderr=subprocess.PIPE) as run:
        wait_until(lambda: (out / ".work" / "1").exists(), "the endless one to run", 30)
        below = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        judges = below.read_text().split()
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
    assert run.returncode == 130, said
    assert b"Traceback" not in said
    assert judges and not [pid for pid in judges if os.path.exists(f"/proc/{pid}")]
    assert list(temporary.iterdir()) == [] and [path.name for path in out.iterdir()] == ["journal.jsonl"]


def test_help_teaches() -> None:
    told, _ = tour("grade", "--help")
    assert "Example: tour grade" in " ".join(told.split()) and "--exit-zero" in told


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm")
    with contextlib.closing(Bar("en")) as bar:
        for done in range(4):
            bar.show(done, 3, 1)
    drawn = sys.stderr.getvalue().split("\r")  # type: ignore[attr-defined]
    assert drawn[1].startswith("[..............................] 0 of 3 graded, 1 of them before")
    assert drawn[-1] == "[##############################] 3 of 3 graded, 1 of them before\n"
