"""Reports: each format makes its files from the same records. What a student wrote is escaped in every one."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from tour.classroom.marks import Mark, Report, Taught
from tour.i18n import Lang, local, strings, t
from tour.lesson.exercise import ExerciseCheck
from tour.lesson.verdict import Cause, CheckVerdict

Files = dict[str, bytes]
"""Names below the folder of reports, and what they hold."""

__all__ = [
    "Files",
    "file_name",
    "hidden_output",
    "passed_by",
    "plain",
    "points",
    "state",
    "summary",
    "title",
    "told",
    "why",
]


def plain(text: str, newlines: bool = False) -> str:
    """``text`` without control, format and private characters: nothing in it steers a terminal or a parser."""
    kept = ("\n", "\t") if newlines else ()
    return "".join(
        char if char in kept or unicodedata.category(char)[0] != "C" else " " if char in "\n\t" else "?"
        for char in text
    )  # fmt: skip


def points(value: float) -> str:
    """A score as short as can be."""
    return f"{value:g}"


def title(taught: Taught, check: CheckVerdict, lang: Lang) -> str:
    """A check's title."""
    return spec(taught, check).title.get(lang)


def spec(taught: Taught, check: CheckVerdict) -> ExerciseCheck:
    """A check as its exercise has it."""
    return next(one for one in taught.checks if one.id == check.id)


def state(check: CheckVerdict, lang: Lang) -> str:
    """In a word: passed, failed, timed out, skipped or not run."""
    if check.passed is None:
        kind = "skipped" if check.cause is not None and check.cause.kind == "skipped" else "not_run"
        return t(lang, f"grade.state.{kind}")
    if check.cause is not None and check.cause.kind == "timed-out":
        return t(lang, "grade.kind.timed_out")
    return t(lang, "grade.state.passed" if check.passed else "grade.state.failed")


def told(cause: Cause, lang: Lang) -> str:
    """What happened, in words."""
    kind = cause.kind.replace("-", "_")
    detail = local(lang, cause.detail)
    if kind == "missing" and detail:
        return plain(detail)
    kind = kind if f"grade.kind.{kind}" in strings(lang) else "other"
    words = {"field": cause.field, "expected": cause.expected, "found": cause.found, "detail": detail}
    said = plain(t(lang, f"grade.kind.{kind}", **words))
    return said + (t(lang, "grade.line", line=cause.line) if cause.line else "")


def why(taught: Taught, check: CheckVerdict, lang: Lang) -> str:
    """Why a check did not pass: what happened, what that means, and the mistake it is if it is a known one."""
    if check.cause is None:
        return t(lang, "grade.hidden") if check.hidden and not check.passed else ""
    said = told(check.cause, lang)
    if check.cause.kind == "differs":
        said = t(lang, "grade.and_why", told=said, why=spec(taught, check).why.get(lang))
    if check.say is None:
        return said
    joint = "grade.mistake" if check.cause.kind == "differs" else "grade.and_mistake"
    return t(lang, joint, told=said, say=check.say.get(lang))


def passed_by(report: Report, taught: Taught) -> list[str]:
    """For each check of an exercise, how many passed it of those that have a mark."""
    counts = {(one.exercise, one.check): one for one in report.whole.checks}
    found = [counts[taught.name, check.id] for check in taught.checks]
    return [f"{one.passed}/{one.passed + one.failed + one.not_run + one.skipped}" for one in found]


def summary(mark: Mark, lang: Lang) -> str:
    """A submission in one line: its points, and what could not be had here."""
    if mark.failed:
        return t(lang, "grade.judge_failed", why=plain(mark.failed))
    said = t(lang, "grade.points", score=points(mark.score), max=points(mark.max_score))
    return said + (t(lang, "grade.skipped", points=points(mark.skipped)) if mark.skipped else "")


def hidden_output(report: Report, mark: Mark) -> str:
    """What the code wrote, for its author: nothing where hidden checks ran, whose inputs it could have told."""
    secret = any(check.hidden for check in report.taught(mark.exercise).checks)
    return "" if secret else mark.output


def file_name(name: str) -> str:
    """A student's id as a file's name; one that had to be changed bears a mark that keeps two apart."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".")[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
