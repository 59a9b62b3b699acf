"""Loading lessons: every one that ships, and broken ones refused with a sentence that names the file."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tour.agent.stage import load_scene
from tour.errors import UsageError
from tour.lesson import model
from tour.lesson.course import course
from tour.lesson.model import LessonError

SOURCE = Path(model.load("8").folder)
READY = [entry.id for entry in course().ready]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of lesson 8 to break."""
    copy = tmp_path / "08_copy"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("*.jsonl", "__pycache__"))
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# -- what ships -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson_id", READY)
def test_every_lesson_is_whole(lesson_id: str) -> None:
    lesson = model.load(lesson_id)
    assert lesson.id == lesson_id and len(set(lesson.step_ids)) == len(lesson.step) >= 5
    for lang in ("en", "zh"):
        for step in lesson.step_ids:
            words = lesson.text(lang, step)  # type: ignore[arg-type]
            assert words.orient and words.explain, (lang, step)
    for step in lesson.step:
        for choice in step.predict.choice if step.predict else ():
            assert not choice.misconception or choice.misconception in model.misconceptions()
    assert lesson.scene_path().is_file() and lesson.recording_path().is_file()
    scene = load_scene(lesson.scene_path())
    assert all(callable(getattr(scene, step)) for step in lesson.step_ids)


@pytest.mark.parametrize("lesson_id", READY)
def test_forks_name_steps_and_words_of_forks_name_forks(lesson_id: str) -> None:
    lesson = model.load(lesson_id)
    assert all(vary.at in lesson.step_ids for vary in lesson.vary)
    known = set(lesson.step_ids) | {f"{step}@{vary.id}" for step in lesson.step_ids for vary in lesson.vary}
    for lang in ("en", "zh"):
        assert set(lesson.texts[lang]) <= known and set(lesson.step_ids) <= set(lesson.texts[lang])


@pytest.mark.parametrize("wanted", ["8", "08", "008"])
def test_a_lesson_is_found_by_its_number(wanted: str) -> None:
    assert model.load(wanted).id == "8"


def test_the_first_minutes_are_lesson_0() -> None:
    assert model.load("0").id == model.load("00").id == "0"


@pytest.mark.parametrize("wanted", ["", " ", "99", "-8", "8.0", "eight", "../8", "8/", "\0", "8" * 500])
def test_what_is_no_lesson_says_what_there_is(wanted: str) -> None:
    if wanted == "":
        assert model.load(wanted).id == "0"
        return
    with pytest.raises(LessonError, match="There is no lesson") as caught:
        model.load(wanted)
    assert ", ".join(model.folders()) in caught.value.why and caught.value.exit_code == 2


def test_words_of_a_fork_fall_back_to_the_steps() -> None:
    lesson = model.load("8")
    assert lesson.text("en", "kick", "forget_kick") != lesson.text("en", "kick")
    assert lesson.text("en", "kick", "size2") == lesson.text("en", "kick")
    assert lesson.text("en", "no such step") == model.StepText()


# -- broken ones ------------------------------------------------------------------------------------------


def toml(old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "lesson.toml", old, new)


@pytest.mark.parametrize(
    ("spoil", "names", "why"),
    [
        (lambda folder: (folder / "lesson.toml").unlink(), "lesson.toml", "No such file"),
        (toml('id = "8"', "id = "), "lesson.toml", "line"),
        (toml('id = "8"', "id = 8"), "lesson.toml", "$.id"),
        (toml("minutes = 12", "minutos = 12"), "lesson.toml", "minut"),
        (toml('verb = "frame"', 'verb = "frame"\ncolour = "red"'), "lesson.toml", "colour"),
        (toml(', zh = "第一个发出的数据包"', ""), "lesson.toml", "zh"),
        (lambda folder: (folder / "lesson.toml").write_bytes(b"\xff"), "lesson.toml", "utf-8"),
        (lambda folder: (folder / "text.zh.md").unlink(), "text.zh.md", "No such file"),
        (lambda folder: (folder / "text.en.md").write_bytes(b"\xff"), "text.en.md", "utf-8"),
    ],
    ids=["no toml", "syntax", "type", "missing", "unknown", "language", "bytes", "no text", "text bytes"],
)
def test_a_broken_lesson_is_refused_naming_the_file(
    folder: Path, spoil: Callable[[Path], None], names: str, why: str
) -> None:
    spoil(folder)
    with pytest.raises(LessonError) as caught:
        model.load_folder(folder)
    assert names in caught.value.what and why in caught.value.why


def test_text_without_front_matter_or_with_sections_nobody_asked_for(folder: Path) -> None:
    path = folder / "text.en.md"
    path.write_text("## frame\n\n### orient\n\nLook.\n\n## other\n\n### explain\n\nSo.\n", "utf-8")
    lesson = model.load_folder(folder)
    assert lesson.text("en", "frame").orient == "Look." and lesson.text("en", "kick").orient == ""


@pytest.mark.parametrize("change", ["missing", "folder"])
def test_a_lesson_without_scene_code(folder: Path, change: str) -> None:
    (folder / "scene.py").unlink()
    if change == "folder":
        (folder / "scene.py").mkdir()
    with pytest.raises(UsageError, match="has no scene.py"):
        load_scene(folder / "scene.py")


def test_lessons_that_are_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model, "__file__", str(tmp_path / "a" / "b" / "model.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LessonError, match="not installed") as caught:
        model.root.__wrapped__()
    assert "pip install" in caught.value.fix
