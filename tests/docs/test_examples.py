"""The site's examples run as they stand: here, and on the real kernel in the lab; the lesson as a lesson."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import examples
from tests.support import ROOT, in_own_network, require
from tour.lab.command import run
from tour.lesson import model

LESSONS = examples.FOLDER / "own_lessons"


@in_own_network
def test_the_examples_run_here() -> None:
    assert examples.main("embedded") == 0


@pytest.mark.requires("lab")
@pytest.mark.lab
@pytest.mark.timeout(300)
def test_the_examples_run_on_the_real_kernel(tmp_path: Path) -> None:
    with open(tmp_path / "said", "wb") as out:
        code = run(
            [sys.executable, "-m", "tests.docs.examples", "kernel"], stdin=None, stdout=out.fileno(),
            stderr=out.fileno(), timeout=200, environ={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert code == 0, (tmp_path / "said").read_text()[-2000:]


def tour(*words: str, lessons: str = str(LESSONS)) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"VHOST_TOUR_LESSONS": lessons}
    return subprocess.run(
        [sys.executable, "-m", "tour.cli", *words], capture_output=True, text=True, timeout=60, env=environ
    )


@pytest.mark.requires("tun")
@pytest.mark.parametrize(("lang", "last"), [("en", "Every check held."), ("zh", "所有检查都通过。")])
def test_the_lesson_of_ones_own_is_a_lesson(lang: str, last: str) -> None:
    done = tour("run", "90", "--plain", "--lang", lang)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[x]") == 4 and last in done.stdout


def test_what_the_course_wants_besides_is_told() -> None:
    require("tun")
    done = tour("dev", "check", "90")
    assert done.returncode == 1
    assert {"[file_missing]", "[step_count]", "[course_unknown]"} <= set(done.stdout.split())
    assert "[check_fails]" not in done.stdout and "[prediction]" not in done.stdout


def test_a_lesson_of_ones_own_takes_no_lessons_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(model.OWN_ENV, raising=False)
    course = model.folders()
    (tmp_path / "08_mine").mkdir()
    (tmp_path / "91_mine").mkdir()
    monkeypatch.setenv(model.OWN_ENV, str(tmp_path))
    assert model.folders() == course | {"91": tmp_path / "91_mine"}
    monkeypatch.setenv(model.OWN_ENV, str(tmp_path / "nowhere"))
    assert model.folders() == course
