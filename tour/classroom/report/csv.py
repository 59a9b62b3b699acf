"""CSV for a spreadsheet or a gradebook: a row per submission, and what the class believes wrongly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from tour.classroom.marks import Mark, Report
from tour.classroom.report import Files, plain, points
from tour.i18n import Lang

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
HEAD = ("id", "name", "email", "exercise", "status", "score", "max_score", "skipped", "seed", "submission", "failed")


def files(report: Report, lang: Lang) -> Files:
    """``grades.csv`` and ``misconceptions.csv``, UTF-8 with the mark that spreadsheets look for."""
    counted = [
        *(["misconception", one.name, "", one.count, cell(one.say.get(lang))] for one in report.whole.misconceptions),
        *(["mistake", one.name, one.exercise, one.count, cell(one.say.get(lang))] for one in report.whole.mistakes),
    ]
    return {
        "grades.csv": _file([_head(report), *(_row(report, mark) for mark in report.marks)]),
        "misconceptions.csv": _file([["kind", "name", "exercise", "count", "words"], *counted]),
    }


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = plain(text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def _columns(report: Report) -> list[tuple[str, str]]:
    return [(taught.name, check.id) for taught in report.exercises for check in taught.checks]


def _head(report: Report) -> list[object]:
    return [*HEAD, *(f"{exercise}:{check}" for exercise, check in _columns(report))]


def _row(report: Report, mark: Mark) -> list[object]:
    got = {(mark.exercise, check.id): check for check in mark.checks if check.passed is not None}
    student = mark.student
    broken = mark.status == "judge failed"
    return [
        *map(cell, (student.id, student.name, student.email)), mark.exercise, mark.status,
        "" if broken else points(mark.score), points(mark.max_score), points(mark.skipped), report.seed,
        mark.submission, cell(mark.failed),
        *(points(got[column].score) if column in got else "" for column in _columns(report)),
    ]  # fmt: skip


def _file(rows: Iterable[list[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")
