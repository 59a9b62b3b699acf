"""``tour list``: the course as lines, with what was done of it and what it would run on here."""

from __future__ import annotations

import json

from tour.agent.probes import Finding, probe, runs_on
from tour.cli.output import tell
from tour.i18n import Lang, t
from tour.lesson.course import Entry, course
from tour.lesson.model import Lesson, load
from tour.lesson.progress import Keeper, LessonProgress, Progress, state_dir
from tour.view.text import pad

TITLE_CELLS = 50


def list_course(lang: Lang, state: str, *, as_json: bool) -> int:
    """Print the map. Raises LessonError."""
    keeper = Keeper(state_dir(state))
    progress, findings = keeper.read(), probe()
    if as_json:
        tell(json.dumps(facts(progress, findings, str(keeper.path)), ensure_ascii=False))
    else:
        print_map(progress, lang, findings)
    return 0


def print_map(progress: Progress, lang: Lang, findings: list[Finding] | None = None) -> None:
    """Every part with its lessons, one a line."""
    for part in course().part:
        tell(part.title.get(lang))
        for entry in part.lesson:
            tell(f"  {line(entry, progress.lesson(entry.id), lang, findings)}".rstrip())


def line(entry: Entry, done: LessonProgress, lang: Lang, findings: list[Finding] | None) -> str:
    """One lesson: mark, number, title, minutes, how far, what it runs on."""
    title = f"{entry.id:>2}  {pad(entry.title.get(lang), TITLE_CELLS)}"
    if not entry.ready:
        return f" -   {title}  {t(lang, 'course.planned')}"
    lesson = load(entry.id)
    mark = "[x]" if done.completed else "[ ]"
    minutes = t(lang, "course.minutes", n=lesson.minutes)
    where = t(lang, f"course.on.{runs_on(findings, lesson.needs)}") if findings else ""
    return f"{mark}  {title}  {minutes:>7}  {pad(how_far(lesson, done, lang), 10)}  {where}"


def how_far(lesson: Lesson, done: LessonProgress, lang: Lang) -> str:
    """``done``, ``3/7``, or nothing."""
    count = sum(step in done.steps for step in lesson.step_ids)
    if done.completed:
        return t(lang, "course.done")
    return f"{count}/{len(lesson.step)}" if count else ""


def facts(progress: Progress, findings: list[Finding], path: str) -> dict[str, object]:
    """The same for programs."""
    parts = [
        {
            "id": part.id,
            "title": {"en": part.title.en, "zh": part.title.zh},
            "lessons": [_lesson_facts(entry, progress.lesson(entry.id), findings) for entry in part.lesson],
        }
        for part in course().part
    ]
    return {"schema": "vhost-tour/list/1", "progress": path, "parts": parts}


def _lesson_facts(entry: Entry, done: LessonProgress, findings: list[Finding]) -> dict[str, object]:
    known: dict[str, object] = {
        "id": entry.id, "slug": entry.slug, "title": {"en": entry.title.en, "zh": entry.title.zh}, "ready": entry.ready,
    }  # fmt: skip
    if not entry.ready:
        return known
    lesson = load(entry.id)
    return known | {
        "minutes": lesson.minutes,
        "steps": list(lesson.step_ids),
        "done": [step for step in lesson.step_ids if step in done.steps],
        "position": done.position,
        "completed": done.completed,
        "runs_on": runs_on(findings, lesson.needs),
    }
