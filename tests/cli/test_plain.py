"""The plain twin: told, recorded, replayed, talked through; in both languages, with any input."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.command import tour
from tests.trace.recordings import reference
from tour.i18n import Lang, t
from tour.lesson import model
from tour.lesson.course import course
from tour.lesson.differences import device_of, unlike
from tour.lesson.model import Lesson
from tour.trace import events as ev
from tour.trace import store
from tour.trace.transcript import transcript
from tour.view.canvas import width_of

embedded = pytest.mark.requires("embedded")
LESSON = model.load("8")
RIGHT = {
    "frame": "none", "describe": "gpa", "entry": "none", "publish": "avail_idx", "kick": "len0", "call": "call",
    "reap": "last_used_idx",
}  # fmt: skip
HAN = re.compile(r"[\u4e00-\u9fff]")


def number(lesson: Lesson, step: str, choice: str) -> str:
    """What one types for a choice."""
    predict = next(spec for spec in lesson.step if spec.id == step).predict
    assert predict is not None
    return str([each.id for each in predict.choice].index(choice) + 1)


RIGHT_LINES = [number(LESSON, step, choice) for step, choice in RIGHT.items()]


def checked(told: str) -> tuple[int, int]:
    """How many checks held and how many did not."""
    return len(re.findall(r"^  \[x\] ", told, re.M)), len(re.findall(r"^  \[ \] ", told, re.M))


ALL_CHECKS = sum(len(step.check) for step in LESSON.step)


# -- run, record, replay ----------------------------------------------------------------------------------


@embedded
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_run_tells_the_lesson_from_end_to_end(lang: Lang) -> None:
    told, said = tour("run", "8", "--plain", "--lang", lang)
    assert checked(told) == (ALL_CHECKS, 0)
    assert told.rstrip().splitlines()[-1] == t(lang, "cli.finished")
    assert bool(HAN.search(told)) == (lang == "zh") and bool(HAN.search(said)) == (lang == "zh")
    assert "\x1b" not in told + said, "no cursor movement"
    for step in LESSON.step:
        assert step.id in told


@embedded
def test_json_is_a_recording() -> None:
    told, _ = tour("run", "8", "--json")
    run = [ev.decode(line.encode()) for line in told.splitlines()]
    assert isinstance(run[0].data, ev.Hello) and isinstance(run[-1].data, ev.Bye)
    assert [event.seq for event in run] == sorted({event.seq for event in run})
    assert unlike("8", transcript(reference().events), transcript(run), device_of(run[0].data)) == []


@embedded
def test_a_run_is_recorded_and_replayed_as_text_as_events_and_as_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "first.jsonl"
    told, said = tour("record", "8", "-o", path)
    assert told == "" and str(path) in said
    recording = store.load(path)
    assert recording.whole and f"{len(recording.events)} events" in said
    told, _ = tour("replay", path, "--plain")
    assert checked(told) == (ALL_CHECKS, 0) and "Replayed" in told
    told, _ = tour("replay", path, "--json")
    assert told.encode() == path.read_bytes()
    picture = tmp_path / "picture.svg"
    tour("replay", path, "--svg", picture, "--at", "kick")
    assert picture.read_text("utf-8").startswith("<svg")


@embedded
@pytest.mark.parametrize("vary", ["size2", "wrap"])
def test_forks_run_and_their_checks_hold(vary: str) -> None:
    told, _ = tour("run", "8", "--vary", vary)
    assert checked(told) == (ALL_CHECKS, 0)


@embedded
def test_the_recording_of_a_fork_is_the_forks_alone(tmp_path: Path) -> None:
    path = tmp_path / "fork.jsonl"
    tour("record", "8", "--vary", "forget_kick", "-o", path)
    recording = store.load(path)
    hellos = [event.data for event in recording.events if isinstance(event.data, ev.Hello)]
    assert [hello.variant for hello in hellos] == ["forget_kick"] and recording.whole
    told, _ = tour("replay", path, "--plain")
    steps = re.findall(r"^Step (\d) of 7: (\w+)", told, re.M)
    assert steps[-1] == ("7", "reap") and steps[0][1] == LESSON.vary[0].at
    assert "nothing moved for 200 ms" in told and "Nothing moved." in told


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("lesson", ["0", "8"])
def test_the_lessons_own_recording_is_replayed(lesson: str, lang: str) -> None:
    told, _ = tour("run", lesson, "--device", "replay", "--lang", lang)
    assert checked(told)[1] == 0 and checked(told)[0] >= 10
    same, _ = tour("replay", model.load(lesson).recording_path(), "--plain", "--lang", lang)
    assert checked(same) == checked(told)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_step_lists_is_told_row_by_row(lang: Lang) -> None:
    told, _ = tour("run", "17", "--plain", "--device", "replay", "--lang", lang)
    spec = next(one for one in model.load("17").listing if one.name == "compare")
    table = told[told.index(f"  {spec.title.get(lang)}\n") :].splitlines()
    assert [word.get(lang) for word in spec.column] == re.split("  +", table[1].strip())
    rows = {row.split()[0]: row.split()[1:] for row in table[2:16] if row.strip()}
    assert rows["VHOST_SET_OWNER"] == ["2", "1", "-"] and rows["VHOST_SET_VRING_ADDR"] == ["5", "-", "2"]
    assert all(width_of(line) <= 80 for line in told.splitlines())


def test_a_recording_cut_off_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    lines = Path(reference().path).read_bytes().splitlines(keepends=True)
    marks = [number for number, event in enumerate(reference().events) if isinstance(event.data, ev.Step)]
    path.write_bytes(b"".join(lines[: marks[6]]) + lines[marks[6]][:20])
    told, said = tour("replay", path, "--plain")
    assert "ends early" in said and "Step 3 of 7" in told and "Step 5 of 7" not in told


def test_what_would_steer_a_terminal_is_not_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "evil.jsonl"
    evil = Path(reference().path).read_text().replace('"6.1.0-', '"\\u001b]0;owned\\u0007\\u009b2J\\u202e6.1.0-', 1)
    path.write_text(evil)
    told, said = tour("replay", path, "--plain")
    assert not set("\x1b\x07\x9b\u202e") & set(told + said) and "owned" in told


# -- talked through ---------------------------------------------------------------------------------------


def talk(*lines: str, lesson: str = "8", lang: str = "en", device: str = "replay", code: int = 0) -> str:
    typed = "".join(f"{line}\n" for line in lines)
    told, _ = tour("start", lesson, "--plain", "--device", device, "--lang", lang, typed=typed, code=code)
    assert "\x1b" not in told
    return told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_right_answers_all_the_way(lang: Lang) -> None:
    told = talk(*RIGHT_LINES, lang=lang)
    assert told.count(t(lang, "cli.right")) >= 7
    assert checked(told) == (ALL_CHECKS, 0)


def test_wrong_answers_are_struck_out_and_met() -> None:
    told = talk(number(LESSON, "frame", "desc"), number(LESSON, "frame", "used"), number(LESSON, "frame", "none"), "q")
    assert told.count("Not that. Try again.") == 2 and "Right." in told
    first = told[: told.index("Not that")]
    assert "What happened" not in first, "nothing is told before it is settled"
    refuted = model.misconceptions()["packet-in-ring"].refutation.en.split()[:4]
    assert " ".join(refuted) in told
    assert "Step 2 of 7" in told


@pytest.mark.parametrize("line", ["x", "0", "9", "-1", "1.0", "²", "9" * 5000, "\x1b[A", "1 2", "{x}"])
def test_anything_but_a_number_of_a_choice_is_asked_again(line: str) -> None:
    told = talk(line, number(LESSON, "frame", "none"), "q")
    assert "Please type a number from 1 to" in told and "Right." in told


def test_bytes_that_are_no_text() -> None:
    typed = b"\xff\xfe\n\x80\n" + number(LESSON, "frame", "none").encode() + b"\nq\n"
    told, _ = tour("start", "8", "--plain", "--device", "replay", typed=typed)
    assert "Right." in told


@pytest.mark.parametrize("lines", [[], ["q"], ["quit"], ["1"], RIGHT_LINES[:3], ["", "", ""]])
def test_one_may_leave_anywhere(lines: list[str]) -> None:
    assert "tour start 8" in talk(*lines).splitlines()[-1]


def test_enter_skips_a_question() -> None:
    told = talk(*[""] * 7)
    assert "Right." not in told and checked(told) == (ALL_CHECKS, 0)


@embedded
def test_a_fork_after_the_last_step() -> None:
    told = talk(*RIGHT_LINES, "1", *[""] * 4, "", device="embedded")
    assert "Forks:" in told and "nothing moved for 200 ms" in told


def test_a_recording_offers_no_fork() -> None:
    assert "Forks:" not in talk(*RIGHT_LINES)


def test_the_first_minutes_lead_on_to_the_next_lesson() -> None:
    told, _ = tour("start", "--plain", "--device", "replay", typed="\n" * 6 + "q\n")
    following = course().following("0")
    assert told.index("Three tables, two writers, two doorbells per queue.") < told.index(f"Lesson {following}")
    assert told.splitlines()[-1].endswith(f"tour start {following}")


def test_a_dumb_terminal_gets_the_plain_twin() -> None:
    told, _ = tour("start", "8", "--device", "replay", typed="q\n", TERM="dumb")
    assert "Step 1 of 7" in told
    told, _ = tour("replay", model.load("8").recording_path(), TERM="dumb")
    assert checked(told) == (ALL_CHECKS, 0)
