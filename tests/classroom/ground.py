"""What the tests of grading share: a class folder, and grading it with the fake judge."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tour.classroom.grade import Order, grade
from tour.classroom.marks import Mark, Report

FAKE = (sys.executable, "-m", "tests.classroom.fake_judge")


def class_folder(place: Path, sources: Mapping[str, str], file: str = "publish.py") -> Path:
    """A folder with a sub-folder for each student, and their file in it."""
    for student, source in sources.items():
        (place / student).mkdir(parents=True)
        (place / student / file).write_text(source)
    return place


def graded(path: Path, **changes: Any) -> Report:
    """The report on what lies at ``path``, by the fake judge."""
    return grade(Order(**{"paths": [path], "command": FAKE, "seed": 7, **changes}))


def by_student(report: Report) -> dict[str, Mark]:
    return {mark.student.id: mark for mark in report.marks}
