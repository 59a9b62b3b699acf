"""A lesson played on the embedded device: checks that cannot fail or do not hold, questions, words, recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.dev.conftest import Edit
from tests.support import require
from tour.dev import played
from tour.dev.finding import Finding
from tour.lesson import model
from tour.lesson.course import course
from tour.trace import store

pytestmark = [pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def run() -> played.Run:
    """Lesson 8 as it is, played once."""
    require("embedded")
    require("tun")
    return played.play(model.load("8"))


@pytest.fixture(scope="module")
def forgotten() -> played.Run:
    """Its fork in which nobody kicks."""
    require("embedded")
    require("tun")
    return played.play(model.load("8"), "forget_kick")


def rules(folder: Path, run: played.Run) -> list[Finding]:
    found = played.faults(model.load_folder(folder), [run])
    return [each for each in found if each.rule != "recording_stale"]


def test_lesson_8_keeps_its_word(folder: Path, run: played.Run, forgotten: played.Run) -> None:
    assert [each.shown("en") for each in rules(folder, run)] == []
    assert [each.shown("en") for each in rules(folder, forgotten)] == []
    assert list(run.steps) == list(model.load("8").step_ids)
    assert list(forgotten.steps) == ["publish", "kick", "call", "reap"], "the way to the fork is not part of it"


@pytest.mark.parametrize(
    ("old", "new", "rule", "step"),
    [
        ('expr = "tx.desc[0].len == 54"', 'expr = "tx.desc[0].len == 42"', "check_fails", "describe"),
        ('expr = "tx.desc[0].len == 54"', 'expr = "tx.num == 8"', "check_held", "describe"),
        ('when = ["changed tx.avail.idx"]', 'when = ["unchanged tx.avail.idx"]', "prediction", "frame"),
        ('when = ["tx.desc[0].addr == 0x40000"]', 'when = ["tx.desc[0].addr == 1"]', "prediction", "describe"),
    ],
)
def test_what_a_run_shows_to_be_wrong(
    folder: Path, edit: Edit, run: played.Run, old: str, new: str, rule: str, step: str
) -> None:
    edit("lesson.toml", old, new)
    (finding,) = rules(folder, run)
    assert (finding.rule, finding.values["step"]) == (rule, step)
    assert finding.file == folder / "lesson.toml" and finding.line > 10


def test_a_fork_s_own_checks_are_held_against_the_fork(folder: Path, edit: Edit, forgotten: played.Run) -> None:
    own = '[[step.fork.forget_kick.check]]\nid = "u"\ntext = {en = "a", zh = "甲"}\nexpr = "changed tx.used.idx"\n\n'
    edit("lesson.toml", '[[step]]\nid = "call"', own + '[[step]]\nid = "call"')
    (finding,) = rules(folder, forgotten)
    assert (finding.rule, finding.values["step"]) == ("check_fails", "kick@forget_kick")
    edit("lesson.toml", 'expr = "changed tx.used.idx"', 'expr = "unchanged tx.used.idx"')
    assert rules(folder, forgotten) == []


def test_words_that_do_not_fit(folder: Path, edit: Edit) -> None:
    require("embedded")
    require("tun")
    edit("text.en.md", "Watch who holds descriptor 0.", "Watch.\n\n" + "\n\n".join(f"Line {n}." for n in range(14)))
    (finding,) = rules(folder, played.play(model.load_folder(folder)))
    assert (finding.rule, finding.values["section"], finding.values["part"]) == ("does_not_fit", "publish", "orient")


def stale(folder: Path, run: played.Run) -> list[str]:
    return [each.values.get("what", each.rule) for each in played.recording_faults(model.load_folder(folder), run)]


def test_a_recording_of_another_lesson(folder: Path, run: played.Run) -> None:
    shutil.copy(model.load("9").recording_path(), folder / "kernel.trace.jsonl")
    told = stale(folder, run)
    assert any(each.startswith("steps ask") for each in told)
    assert any(each.startswith("calls:") or each.startswith("frames:") or each.startswith("used:") for each in told)


def test_a_recording_that_is_cut_or_none(folder: Path, run: played.Run) -> None:
    path = folder / "kernel.trace.jsonl"
    path.write_text("not a recording\n", "utf-8")
    assert stale(folder, run) == ["recording_broken"]
    path.unlink()
    assert stale(folder, run) == []


def test_a_lesson_without_scene(folder: Path) -> None:
    (folder / "scene.py").unlink()
    with pytest.raises(model.LessonError, match="no scene.py"):
        played.runs_of(model.load_folder(folder))


def test_a_recording_older_than_the_scene(folder: Path, edit: Edit, run: played.Run) -> None:
    edit("scene.py", "nic.tx.publish()", "nic.tx.publish()  # as before")
    assert stale(folder, run) == ["scene.py is another now"]


@pytest.mark.parametrize("lesson", [entry.id for entry in course().ready])
def test_every_lesson_s_recording_is_a_kernel_s_and_was_made_by_its_scene(lesson: str) -> None:
    hello = store.load(model.load(lesson).recording_path()).hello
    assert (hello.device, hello.scene) == ("kernel", model.load(lesson).scene_digest())
