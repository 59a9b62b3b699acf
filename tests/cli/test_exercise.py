"""``tour exercise``: the way of a learner, from red with a picture to green and on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.cli.command import TOUR, environment, tour
from tour.i18n import Lang, t
from tour.lesson.exercise import exercises, find, variants
from tour.view.canvas import width_of

pytestmark = pytest.mark.requires("namespaces")
PUBLISH = find("publish")
WRONG = {one.name: one for one in variants(PUBLISH, "wrong")}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    tour("exercise", "start", "publish", tmp_path / "w")
    return tmp_path / "w"


def write(work: Path, source: str) -> None:
    (work / "publish.py").write_text(source, "utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_way_of_a_learner(lang: Lang, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    told, _ = tour("exercise", "start", "publish", folder, "--lang", lang)
    assert str(folder) in told
    told, _ = tour("exercise", "check", folder, "--lang", lang, code=1)
    assert t(lang, "exercise.cause.todo", number=1) in told
    write(folder, WRONG["idx_modulo"].source)
    told, _ = tour("exercise", "check", folder, "--lang", lang, code=1)
    assert t(lang, "exercise.wanted") in told and t(lang, "exercise.found") in told
    assert WRONG["idx_modulo"].say.get(lang)[:20] in told.replace("\n", " ").replace("  ", " ")
    assert "publish.py:9   ring.store_avail_idx(idx)" in told, "the line that wrote the wrong word"
    marked = [line for line in told.splitlines() if "idx>" in line]
    assert len(marked) == 2 and marked[0] != marked[1], "the very field, as it should be and as it is"
    assert all(width_of(line) <= 80 for line in told.splitlines())
    write(folder, PUBLISH.solution())
    told, _ = tour("exercise", "check", folder, "--lang", lang)
    assert "[ ]" not in told and told.count("[x]") == len(PUBLISH.check)
    following = exercises()[[one.name for one in exercises()].index("publish") + 1].name
    assert t(lang, "exercise.solved_next", name=following) in told
    told, _ = tour("exercise", "status", folder, "--json")
    assert json.loads(told)["solved"] is True and json.loads(told)["attempts"] == 3


def test_hints_come_one_by_one_then_the_solution(work: Path) -> None:
    _, said = tour("exercise", "solution", work, code=2)
    assert "tour exercise hint" in said
    for n in (1, 2, 3, 3):
        told, _ = tour("exercise", "hint", work)
        assert t("en", "exercise.hint", n=n, count=3) in told
        assert " ".join(told.split()).find(PUBLISH.hint[n - 1].en) > 0
    told, _ = tour("exercise", "solution", work)
    assert "--- publish.py" in told and "+    ring.full_barrier()" in told and "-    raise NotImplementedError" in told


def test_json_is_the_verdict(work: Path) -> None:
    write(work, WRONG["no_barrier"].source)
    told, _ = tour("exercise", "check", work, "--json", code=1)
    found = json.loads(told)
    assert found["schema"] == "vhost-tour/exercise-check/1" and found["solved"] is False
    broken = next(one for one in found["verdict"]["checks"] if one["passed"] is False)
    assert (broken["id"], broken["mistake"]) == ("wakeup", "no_barrier")
    assert "seccomp" in found["verdict"]["layers"]


def test_the_list_names_every_exercise() -> None:
    told, _ = tour("exercise", "list", "--json")
    rows = json.loads(told)["exercises"]
    assert [row["name"] for row in rows] == [one.name for one in exercises()]
    told, _ = tour("exercise", "list", "--lang", "zh")
    assert all(one.title.zh in told for one in exercises())


def test_every_save_is_checked(work: Path) -> None:
    argv = [*TOUR, "exercise", "check", str(work), "--watch", "--lang", "en"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True
    ) as watched:
        assert watched.stdout and watched.stderr
        told = heard(watched.stdout, t("en", "exercise.hints_left", left=3))
        part = work / "publish.py.new"
        part.write_text(PUBLISH.solution())
        os.replace(part, work / "publish.py")  # as editors save
        told += heard(watched.stdout, t("en", "exercise.points", score=12, most=12))
        watched.send_signal(signal.SIGINT)
        _, said = watched.communicate(timeout=20)
    assert watched.returncode == 130 and "Traceback" not in said and "TODO 1" in told
    assert json.loads((work / ".tour/state.json").read_text())["solved"]


def heard(stream: IO[str], end: str) -> str:
    """What is told up to the line that holds ``end``."""
    told = ""
    while end not in told:
        line = stream.readline()
        assert line, told
        told += line
    return told


def test_reset_keeps_the_old_file(work: Path) -> None:
    write(work, "mine")
    told, _ = tour("exercise", "reset", work)
    assert "publish.py.~1~" in told and (work / "publish.py.~1~").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("start", "nothing"), "There is no exercise 'nothing'"),
        (("start", "publish", "--from-step", "9"), "There is no step 9"),
        (("check", "/"), "no exercise's folder"),
        (("check", "--isolation", "none", "."), ""),
    ],
)
def test_mistakes_of_the_command_line(words: tuple[str, ...], text: str, tmp_path: Path) -> None:
    _, said = tour("exercise", *words, *((tmp_path,) if words[0] == "start" else ()), code=2)
    assert text in said
