"""Gradescope's ``results.json``, from gradescope-autograders.readthedocs.io/en/latest/specs (read 2026-11-23).

A hidden check is shown after the due date; as long as any is hidden Gradescope does not show the total either.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec

from tour.classroom.marks import Mark, Report
from tour.classroom.report import Files, file_name, hidden_output, plain, summary, title, why
from tour.i18n import Lang, t
from tour.lesson.verdict import CheckVerdict

NAME = "results.json"


def files(report: Report, lang: Lang) -> Files:
    """``results.json`` for one student, for a class ``gradescope/ID.json`` each. Where the judge failed there is none:
    Gradescope then says that the autograder failed, and gives no mark."""
    by = groupby(sorted(report.marks, key=lambda mark: mark.student.id), key=lambda mark: mark.student.id)
    every = {student: list(marks) for student, marks in by}
    alone = len(every) == 1
    return {
        NAME if alone else f"gradescope/{file_name(student)}.json": _student(report, marks, lang)
        for student, marks in every.items()
        if not any(mark.failed for mark in marks)
    }


def _student(report: Report, marks: list[Mark], lang: Lang) -> bytes:
    several = len(marks) > 1
    tests = [
        _test(report, mark, check, f"{nth}.{at}" if several else str(at), lang)
        for nth, mark in enumerate(marks, 1)
        for at, check in enumerate(mark.checks, 1)
    ]
    result = {
        "score": sum(mark.score for mark in marks),
        "execution_time": round(sum(mark.seconds for mark in marks)),
        "output": "\n".join(_output(report, mark, lang) for mark in marks),
        "output_format": "text", "test_output_format": "text", "test_name_format": "text",
        "visibility": "visible", "stdout_visibility": "hidden", "tests": tests, "extra_data": _extra(report, marks),
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def _output(report: Report, mark: Mark, lang: Lang) -> str:
    """What is said of the submission as a whole."""
    said = [f"{report.taught(mark.exercise).title.get(lang)}: {summary(mark, lang)}"]
    wrote = hidden_output(report, mark)
    if wrote:
        said += [t(lang, "grade.wrote"), plain(wrote, newlines=True)]
    return "\n".join(said)


def _test(report: Report, mark: Mark, check: CheckVerdict, number: str, lang: Lang) -> dict[str, Any]:
    taught = report.taught(mark.exercise)
    skipped = check.passed is None and check.cause is not None and check.cause.kind == "skipped"
    return {
        "name": title(taught, check, lang),
        "number": number,
        "score": check.score,
        "max_score": 0 if skipped else check.max_score,
        "status": "passed" if check.passed or skipped else "failed",
        "output": why(taught, check, lang),
        "output_format": "text",
        "name_format": "text",
        "visibility": "after_due_date" if check.hidden else "visible",
        "tags": ["skipped"] if skipped else [],
    }


def _extra(report: Report, marks: list[Mark]) -> dict[str, Any]:
    return {
        "schema": report.schema, "tour": report.tour, "seed": report.seed, "isolation": report.isolation,
        "layers": report.layers, "submissions": [mark.submission for mark in marks],
    }  # fmt: skip
