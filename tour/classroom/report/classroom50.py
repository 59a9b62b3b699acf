"""Classroom 50's ``result.json``: ``classroom50/result/v1``, from its wiki page Advanced Autograding and its schema
``schemas/result-v1.schema.json`` (github.com/foundation50/classroom50, read 2026-11-23). Scores are whole numbers.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from tour.classroom.marks import Mark, Report
from tour.classroom.report import Files, title, why
from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.verdict import CheckVerdict

SCHEMA = "classroom50/result/v1"
NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")


def check_environment() -> None:
    """Raises UsageError where this is no run of Classroom 50's."""
    lacking = [name for name in NEEDED if not os.environ.get(name)]
    if lacking:
        raise UsageError(
            f"classroom50 needs {', '.join(lacking)} in the environment.",
            "Classroom 50's runner sets them.",
            "run it from an autograder.py there, or leave the format out",
        )


def files(report: Report, lang: Lang) -> Files:
    """``result.json`` of the one submission; none where the judge failed. Raises UsageError for several."""
    check_environment()
    if len(report.marks) != 1:
        raise UsageError("classroom50 takes one submission.", "Its result.json is one student's.")
    (mark,) = report.marks
    return {} if mark.failed else {"result.json": _result(report, mark, lang)}


def _result(report: Report, mark: Mark, lang: Lang) -> bytes:
    tests = [_test(report, mark, check, lang) for check in mark.checks]
    env = os.environ
    result = {
        "schema": SCHEMA,
        "classroom": env["CLASSROOM"],
        "assignment": env["ASSIGNMENT"],
        **_identity(),
        "submission": env["SUBMISSION_TAG"],
        "commit": env["COMMIT_URL"],
        "release": env["RELEASE_URL"],
        "review": env.get("REVIEW_URL") or env["COMMIT_URL"],
        "datetime": report.made,
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def _identity() -> dict[str, str]:
    """Whose it is; the runner puts its own over it."""
    owner = os.environ.get("OWNER") or os.environ.get("USERNAME")
    kind = os.environ.get("ASSIGNMENT_TYPE") or "individual"
    return {"assignment_type": kind, "owner": owner} if owner else {}


def _test(report: Report, mark: Mark, check: CheckVerdict, lang: Lang) -> dict[str, Any]:
    """One check; what else stands in it is kept by the runner as it is."""
    taught = report.taught(mark.exercise)
    skipped = check.passed is None and check.cause is not None and check.cause.kind == "skipped"
    return {
        "test-name": title(taught, check, lang),
        "passed": check.passed is True,
        "score": int(check.score),
        "max-score": 0 if skipped else int(check.max_score),
        "output": why(taught, check, lang),
        "skipped": skipped,
        "seed": report.seed,
    }
