"""What a lesson's folder must hold, and that its files speak of the same steps, parts and forks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tour.dev.finding import Finding, line_of
from tour.dev.words import halves, sections
from tour.lesson import model
from tour.lesson.model import Lesson, StepFork

FEWEST, MOST = 5, 9
SETTINGS = {"num", "base", "skip", "buffers", "room"}
"""What a fork may set (``model.Vary``)."""
STAGES = ("", "open", "own", "features", "memory", "vrings", "doorbells", "fill", "attach")
NEEDED = ("scene.py", "kernel.trace.jsonl", "claims.toml")


def faults(lesson: Lesson) -> list[Finding]:
    """Everything about the shape of one lesson."""
    return [*_files(lesson), *_steps(lesson), *_sections(lesson), *_forks(lesson), *_scene(lesson), *_course(lesson)]


def own_parts(lesson: Lesson) -> Iterator[tuple[str, StepFork]]:
    """Section and question, checks and sources of each step, then of it in each fork that has its own."""
    for step in lesson.step:
        yield step.id, StepFork(title=step.title, predict=step.predict, check=step.check, ref=step.ref)
        yield from ((f"{step.id}@{vary}", own) for vary, own in step.fork.items())


def _toml(lesson: Lesson) -> Path:
    return Path(lesson.folder) / "lesson.toml"


def _files(lesson: Lesson) -> list[Finding]:
    folder = Path(lesson.folder)
    return [
        Finding(folder / name, 1, "file_missing", {"name": name}) for name in NEEDED if not (folder / name).is_file()
    ]


def _steps(lesson: Lesson) -> list[Finding]:
    ids, path = lesson.step_ids, _toml(lesson)
    found = []
    if not FEWEST <= len(ids) <= MOST:
        values = {"count": str(len(ids)), "least": str(FEWEST), "most": str(MOST)}
        found.append(Finding(path, line_of(path, "[[step]]"), "step_count", values))
    twice = sorted({step for step in ids if ids.count(step) > 1})
    found += [Finding(path, line_of(path, f'id = "{step}"'), "step_twice", {"step": step}) for step in twice]
    if lesson.set_up not in STAGES:
        values = {"stage": lesson.set_up, "stages": ", ".join(STAGES[1:])}
        found.append(Finding(path, line_of(path, "set_up"), "set_up_unknown", values))
    return found


def _sections(lesson: Lesson) -> list[Finding]:
    """Both texts: exactly the steps, in order, and sections of forks that are the same in both."""
    told = {}
    found = []
    for lang in ("en", "zh"):
        path = Path(lesson.folder) / f"text.{lang}.md"
        told[lang] = list(sections(halves(path)[1]))
        plain = [name for name in told[lang] if "@" not in name]
        if plain != list(lesson.step_ids):
            odd = sorted(set(plain) ^ set(lesson.step_ids)) or plain
            values = {"file": path.name, "steps": ", ".join(odd)}
            found.append(Finding(path, line_of(path, f"## {odd[0]}"), "sections_differ", values))
    path = Path(lesson.folder) / "text.zh.md"
    if told["en"] != told["zh"] and not found:
        odd = sorted(set(told["en"]) ^ set(told["zh"])) or told["zh"]
        found.append(Finding(path, line_of(path, f"## {odd[0]}"), "languages_differ", {"steps": ", ".join(odd)}))
    return found


def _forks(lesson: Lesson) -> list[Finding]:
    """Forks name steps and settings there are; whatever names a fork names one there is."""
    path, varies = _toml(lesson), {vary.id for vary in lesson.vary}
    found = []
    for vary in lesson.vary:
        steps = {vary.at, str(vary.set.get("skip", vary.at))}
        odd = sorted(steps - set(lesson.step_ids)) + sorted(set(vary.set) - SETTINGS)
        if odd:
            values = {"fork": vary.id, "names": ", ".join(odd)}
            found.append(Finding(path, line_of(path, "[[vary]]", f'id = "{vary.id}"'), "fork_names", values))
    for lang in ("en", "zh"):
        text = Path(lesson.folder) / f"text.{lang}.md"
        own = [name for name in lesson.texts[lang] if "@" in name]
        strange = [
            name
            for name in own
            if name.partition("@")[2] not in varies or name.partition("@")[0] not in lesson.step_ids
        ]
        found += [Finding(text, line_of(text, f"## {name}"), "fork_unknown", {"name": name}) for name in strange]
    for step in lesson.step:
        for name in sorted(set(step.fork) - varies):
            values = {"name": f"{step.id}@{name}"}
            found.append(Finding(path, line_of(path, f"[step.fork.{name}"), "fork_unknown", values))
    return found


def _scene(lesson: Lesson) -> list[Finding]:
    """The scene has a function for each step; it is read, not run: running it needs Linux."""
    path = lesson.scene_path()
    if not path.is_file():
        return []
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        return [Finding(path, getattr(error, "lineno", 1) or 1, "scene_broken", {"error": str(error)})]
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return [Finding(path, 1, "scene_step", {"step": step}) for step in lesson.step_ids if step not in names]


def _course(lesson: Lesson) -> list[Finding]:
    """Folder, id, slug and title are those of course.toml."""
    path = _toml(lesson)
    row = course().get(lesson.id)
    if row is None:
        return [Finding(path, line_of(path, "id ="), "course_unknown", {"id": lesson.id})]
    found = []
    for name, here, there in (
        ("slug", lesson.slug, row["slug"]),
        ("title", f"{lesson.title.en} / {lesson.title.zh}", f"{row['title']['en']} / {row['title']['zh']}"),
        ("folder", Path(lesson.folder).name, f"{int(lesson.id):02d}_{row['slug']}"),
    ):
        if here != there:
            values = {"name": name, "here": here, "there": there}
            found.append(Finding(path, line_of(path, f"{name} ="), "course_differs", values))
    return found


def ready(lesson_id: str) -> bool:
    """Whether that lesson is shown to learners; one that is not may be in work."""
    return bool(course().get(lesson_id, {}).get("ready"))


def course() -> dict[str, dict[str, Any]]:
    """The rows of course.toml by lesson id. Raises LessonError."""
    parts = model.read_toml(model.root() / "course.toml")["part"]
    return {row["id"]: row for part in parts for row in part["lesson"]}
