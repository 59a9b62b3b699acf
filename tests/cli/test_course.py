"""``tour list``, ``status``, ``doctor``, ``run all`` and ``start`` anywhere in the course, as commands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.command import tour
from tour.agent.probes import LAB, OPTIONAL
from tour.lesson.course import course
from tour.lesson.model import load
from tour.lesson.progress import Answered, Keeper, LessonProgress

READY = [entry.id for entry in course().ready]
RUNS_ON = {one: "replay" if "kernel" in load(one).needs else "embedded" for one in READY}
AT = "2026-01-02T03:04:05Z"
AS_NOBODY = str(Path(__file__).parents[1] / "agent" / "as_nobody.py")
embedded = pytest.mark.requires("embedded")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Lesson 8 done up to its fourth step, one prediction wrong, one late."""
    keeper = Keeper(tmp_path)
    predictions = {"frame": Answered("desc", "none", 3, AT), "describe": Answered("gpa", "gpa", 2, AT)}
    keeper.remember("8", LessonProgress(["frame", "describe", "entry"], "publish", AT, "", predictions))
    keeper.write()
    return tmp_path


# -- list -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_has_every_lesson_and_how_far_one_is(state: Path, lang: str) -> None:
    told, said = tour("list", "--lang", lang, "--state-dir", state)
    assert said == ""
    for entry in course().entries:
        assert entry.title.get(lang) in told  # type: ignore[arg-type]
    (line,) = (line for line in told.splitlines() if load("8").title.get(lang) in line)  # type: ignore[arg-type]
    assert "3/7" in line and "[ ]" in line and "12" in line


def test_the_list_for_programs(state: Path) -> None:
    told, _ = tour("list", "--json", VHOST_TOUR_STATE=str(state))
    found = json.loads(told)
    assert found["schema"] == "vhost-tour/list/1"
    lessons = {lesson["id"]: lesson for part in found["parts"] for lesson in part["lessons"]}
    assert [one for one in lessons if lessons[one]["ready"]] == READY and len(lessons) == len(course().entries)
    assert lessons["8"]["done"] == ["frame", "describe", "entry"] and lessons["8"]["position"] == "publish"
    assert lessons["8"]["steps"] == list(load("8").step_ids) and lessons["8"]["minutes"] == 12
    assert lessons["8"]["runs_on"] in ("kernel", "embedded", "replay")


# -- status -----------------------------------------------------------------------------------------------


def test_status_before_anything_was_done(tmp_path: Path) -> None:
    told, _ = tour("status", "--state-dir", tmp_path)
    assert "tour start opens The first five minutes" in told and str(tmp_path / "progress.json") in told


def test_status_says_where_one_is_and_what_did_not_come_true(state: Path) -> None:
    told, _ = tour("status", "--state-dir", state)
    assert "tour start 8:publish" in told and "step 4 of 7" in told and "3 steps in all" in told
    assert f"8:frame: you said '{choice('frame', 'desc')}'; it was '{choice('frame', 'none')}'" in told
    assert f"8:describe: right at try 2: {choice('describe', 'gpa')}" in told
    told, _ = tour("status", "--state-dir", state, "--lang", "zh")
    assert "继续：第一个发出的数据包" in told and "第 2 次猜中" in told


def choice(step: str, wanted: str) -> str:
    """The English words of a choice."""
    predict = load("8").spec(step).predict
    assert predict is not None
    return next(one.text.en for one in predict.choice if one.id == wanted)


def test_status_for_programs(state: Path) -> None:
    found = json.loads(tour("status", "--json", "--state-dir", state)[0])
    assert found["resume"] == {"lesson": "8", "step": "publish"} and found["completed"] == []
    assert [one["step"] for one in found["predictions"]] == ["frame", "describe"]


def test_status_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text('{"format_version": 99}')
    _, said = tour("status", "--state-dir", tmp_path)
    assert "newer vhost-tour" in said
    (tmp_path / "progress.json").write_text("{")
    _, said = tour("status", "--state-dir", tmp_path)
    assert "put aside as progress.json.damaged-" in said


# -- doctor -----------------------------------------------------------------------------------------------


def test_doctor_tells_everything_and_is_no_failure(tmp_path: Path) -> None:
    told, said = tour("doctor", "--state-dir", tmp_path)
    assert said == "" and str(tmp_path) in told
    assert "This is not a terminal." in told and "tour start --plain" in told
    told, _ = tour("doctor", "--lang", "zh")
    assert "这里不是终端。" in told


def test_doctor_for_programs() -> None:
    found = json.loads(tour("doctor", "--json")[0])
    names = {one["name"] for one in found["capabilities"]}
    assert (
        found["schema"] == "vhost-tour/doctor/1" and {"python", "terminal", "tun", "kernel", *LAB, *OPTIONAL} <= names
    )
    for one in found["capabilities"]:
        assert one["ok"] or (one["what"] and one["cost"])


def test_doctor_is_strict_when_asked_to_be() -> None:
    told, _ = tour("doctor", "--strict", code=3)
    assert "Missing, though asked for:" in told and "terminal" in told.splitlines()[-1]
    told, _ = tour("doctor", code=3, PATH="/nowhere", TOUR_REQUIRE="lab,nonsense")
    assert told.splitlines()[-1].endswith(": lab")
    told, _ = tour("doctor", TOUR_REQUIRE="python", PATH="/nowhere")
    assert "apt-get install qemu-system-x86" in told


# -- run all ----------------------------------------------------------------------------------------------


@embedded
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_lessons_run_one_line_each(lang: str) -> None:
    told, _ = tour("run", "all", "--plain", "--lang", lang)
    lines = told.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [["ok", one] for one in READY]
    assert str(len(READY)) in lines[-1]


@pytest.mark.requires("embedded", "tun")
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become nobody")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_ordinary_user_runs_all_of_it_live_on_a_tap(lang: str) -> None:
    argv = (sys.executable, AS_NOBODY, sys.executable, "-m", "tour.cli")
    told, _ = tour("run", "all", "--json", "--lang", lang, argv=argv, TOUR_REQUIRE="embedded,tun")
    runs = [json.loads(line) for line in told.splitlines()]
    assert [(run["lesson"], run["bad"], run["where"]) for run in runs] == [(one, 0, RUNS_ON[one]) for one in READY]


def test_all_lessons_replayed_are_no_failure() -> None:
    told, _ = tour("run", "all", "--json", "--device", "replay")
    runs = [json.loads(line) for line in told.splitlines()]
    assert [run["lesson"] for run in runs] == READY
    assert all(run["code"] == 0 and run["bad"] == 0 and run["where"] == "replay" for run in runs)


HIDE = "import sys; sys.modules['tour.abi._native'] = None; del sys.argv[1];from tour.cli.entry import main; main()"


def test_what_must_be_replayed_fails_only_where_something_live_was_asked_for() -> None:
    hidden = (sys.executable, "-c", HIDE, "-m")
    told, _ = tour("run", "all", argv=hidden)
    assert told.count("replayed, recorded on") == len(READY)
    told, _ = tour("run", "all", argv=hidden, code=3, TOUR_REQUIRE="embedded")
    assert "compiled part" in told and told.count("\n--") + told.startswith("--") == len(READY)
    tour("run", "all", "--device", "embedded", argv=hidden, code=3)


BREAK = """
import sys
from tour.cli import run_all
play = run_all.play
def broken(lesson, options):
    outcome = play(lesson, options)
    if lesson.id == "8":
        return run_all.Outcome(1, outcome.total, outcome.where, outcome.kernel)
    return outcome
run_all.play = broken
from tour.cli.entry import main
main()
"""


def test_one_lesson_that_fails_is_a_failure() -> None:
    told, _ = tour("run", "all", "--device", "replay", argv=(sys.executable, "-c", BREAK), code=1)
    assert "--   8" in told and f"1 of {len(READY)} lessons did not pass" in told


def test_all_forks_are_not_run_at_once() -> None:
    _, said = tour("run", "all", "--vary", "wrap", code=2)
    assert "tour run 8 --vary wrap" in said


# -- start ------------------------------------------------------------------------------------------------


def start(*words: str | Path, typed: str = "q\n", code: int = 0, device: str = "replay") -> tuple[str, str]:
    return tour("start", "--plain", "--device", device, *words, typed=typed, code=code)


@pytest.mark.parametrize("words", ["8:3", "8:entry", "08:3"])
@pytest.mark.parametrize("device", ["replay", pytest.param("embedded", marks=embedded)])
def test_start_at_a_step(words: str, device: str) -> None:
    told, _ = start(words, device=device)
    assert "Step 3 of 7" in told and "Step 1 of 7" not in told
    assert told.splitlines()[-1].endswith("tour start 8:entry")


@embedded
def test_the_rest_of_a_lesson_holds_from_any_step(tmp_path: Path) -> None:
    told, _ = start("8:5", "--state-dir", tmp_path, typed="\n" * 9 + "q\n", device="embedded")
    assert told.count("  [x] ") >= 3 and "  [ ] " not in told and "Step 7 of 7" in told
    assert Keeper(tmp_path).read().lesson("8").steps == ["kick", "call", "reap"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("8:9", "Lesson 8 has no step '9'."), ("8:lunch", "has no step 'lunch'"), ("99:1", "There is no lesson '99'.")],
)
def test_start_at_a_step_that_is_none(words: str, sentence: str) -> None:
    told, said = start(words, code=2)
    assert sentence in said and told == ""


def test_the_first_time_is_the_first_five_minutes_later_the_map(tmp_path: Path) -> None:
    told, _ = start("--state-dir", tmp_path)
    assert "The first five minutes" in told and "Which lesson?" not in told
    start("--state-dir", tmp_path, typed="\n\nq\n")
    assert Keeper(tmp_path).read().lesson("0").steps == ["buffer", "publish"]
    told, _ = start("--state-dir", tmp_path)
    assert "Which lesson?" in told and "goes on at 0:kick" in told and "The machine around it" in told
    told, _ = start("--state-dir", tmp_path, typed="\nq\n")
    assert "Step 3 of 6" in told
    told, said = start("--state-dir", tmp_path, typed="77\n8:9\n8:2\nq\n")
    assert "There is no lesson '77'." in said and "has no step '9'" in said and "Step 2 of 7" in told


def test_what_is_answered_in_plain_is_kept(tmp_path: Path) -> None:
    start("8", "--state-dir", tmp_path, typed="1\nq\n")
    kept = Keeper(tmp_path).read().lesson("8")
    assert kept.steps in ([], ["frame"]), "only a settled question is a step done"
    choices = [choice.id for choice in load("8").step[0].predict.choice]  # type: ignore[union-attr]
    start("8", "--state-dir", tmp_path, typed=f"{choices.index('none') + 1}\nq\n")
    kept = Keeper(tmp_path).read().lesson("8")
    assert kept.steps == ["frame"] and kept.predictions["frame"].chosen == "none"


def test_progress_that_cannot_be_kept_is_said_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told, said = start("8", "--state-dir", tmp_path / "file" / "below", typed="\nq\n")
    assert "Step 2 of 7" in told and "--state-dir FOLDER" in said
