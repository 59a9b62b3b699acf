"""What the reports are made from: each submission's verdict as it may be shown, and the class counted.

The one door for what came from students: absolute paths are taken out, everything is cut to a bound, and of a hidden
check it is only told whether it passed. The reports then escape what is left for their format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from tour import __version__
from tour.classroom.roster import Student
from tour.lesson.exercise import Exercise, ExerciseCheck
from tour.lesson.model import Text, misconceptions
from tour.lesson.verdict import Cause, CheckVerdict, Verdict

SCHEMA = "vhost-tour/grades/1"
OUTPUT_MAX = 500
WORDS_MAX = 300
_PATH = re.compile(r"(?<![\w/.…])/(?:[^\s/'\"<>:,;()\[\]]+/)+([^\s/'\"<>:,;()\[\]]*)")
_DRIVE = re.compile(r"\b[A-Za-z]:\\(?:[^\s\\'\"<>]+\\)+([^\s\\'\"<>]*)")

Status = Literal["passed", "failed", "missing", "refused", "timed-out", "judge failed"]


class Taught(msgspec.Struct, frozen=True):
    """An exercise of the report: its checks as they are shown."""

    name: str
    title: Text
    points: int
    checks: list[ExerciseCheck]


class Mark(msgspec.Struct, frozen=True):
    """One submission. ``score`` of ``max_score`` points; ``skipped`` points could not be had on this machine and are
    in neither. ``failed`` says why there is no mark: the judge failed, the student did not."""

    student: Student
    exercise: str
    status: Status
    score: float
    max_score: float
    skipped: float
    checks: list[CheckVerdict]
    output: str = ""
    layers: list[str] = []
    seconds: float = 0.0
    submission: str = ""
    failed: str = ""


class Counted(msgspec.Struct, frozen=True):
    """How many submissions show one mistake or misconception. ``name`` is its id, ``say`` its sentence."""

    name: str
    count: int
    say: Text
    exercise: str = ""


class CheckCount(msgspec.Struct, frozen=True):
    """How one check went in the class; ``not_run`` for want of another check, ``skipped`` of a capability."""

    exercise: str
    check: str
    passed: int
    failed: int
    not_run: int
    skipped: int


class Class(msgspec.Struct, frozen=True):
    """The class as a whole."""

    students: int
    submissions: int
    passed: int
    failed: int
    judge_failed: int
    checks: list[CheckCount]
    mistakes: list[Counted]
    misconceptions: list[Counted]


class Report(msgspec.Struct, frozen=True):
    """Everything that a report may tell."""

    seed: int
    isolation: str
    layers: list[str]
    made: str
    exercises: list[Taught]
    marks: list[Mark]
    whole: Class = msgspec.field(name="class")
    strangers: list[str] = []
    ignored: list[str] = []
    tour: str = __version__
    schema: str = SCHEMA

    def taught(self, name: str) -> Taught:
        """The exercise of that name."""
        return next(one for one in self.exercises if one.name == name)


def redacted(text: str) -> str:
    """``text`` without absolute paths: of each only the last name is left."""
    return _DRIVE.sub(r"…\\\1", _PATH.sub(r"…/\1", text))


def clean(text: str) -> str:
    """``text`` as UTF-8 can hold it: a file's name may be bytes that are none."""
    return text.encode("utf-8", "replace").decode()


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters of it."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def mark(student: Student, verdict: Verdict, submission: str) -> Mark:
    """The mark of a judged submission."""
    checks = [_shown(check) for check in verdict.checks]
    return Mark(
        student, verdict.exercise, _status(verdict), verdict.score, verdict.max_score,
        sum(one.max_score for one in checks if _is(one, "skipped")), checks,
        cut(redacted(verdict.output), OUTPUT_MAX), list(verdict.layers), verdict.seconds, submission,
    )  # fmt: skip


def unmarked(student: Student, exercise: Exercise, why: str, submission: str) -> Mark:
    """What stands for a mark where the judge failed: nothing is said of the student's code."""
    checks = [CheckVerdict(one.id, None, 0, one.points, hidden=one.hidden) for one in exercise.check]
    failed = cut(redacted(why), WORDS_MAX)
    return Mark(student, exercise.name, "judge failed", 0, exercise.points, 0, checks, "", [], 0, submission, failed)


def refused(exercise: Exercise, seed: int, isolation: str, kind: str, why: str) -> Verdict:
    """The verdict on what was not taken or not handed in: no check passes."""
    cause = Cause(kind, detail=why)
    checks = [CheckVerdict(one.id, False, 0, one.points, cause, hidden=one.hidden) for one in exercise.check]
    return Verdict(exercise.name, seed, isolation, [], checks)


def _status(verdict: Verdict) -> Status:
    kinds = {check.cause.kind for check in verdict.checks if check.cause}
    if verdict.solved:
        return "passed"
    for kind in ("missing", "refused"):
        if kinds == {kind} and not verdict.layers:
            return kind
    return "timed-out" if "timed-out" in kinds else "failed"


def _shown(check: CheckVerdict) -> CheckVerdict:
    """A check as it may be told."""
    told = replace(check, found=[], wanted=[])
    if check.hidden and check.passed is not None:
        return replace(told, cause=None, mistake="", say=None, misconception="")
    if check.cause is None:
        return told
    words = {name: cut(redacted(getattr(check.cause, name)), WORDS_MAX) for name in ("expected", "found", "detail")}
    return replace(told, cause=replace(check.cause, field=cut(check.cause.field, WORDS_MAX), **words))


def _is(check: CheckVerdict, kind: str) -> bool:
    return check.passed is None and check.cause is not None and check.cause.kind == kind


def counted(marks: Iterable[Mark], exercises: Iterable[Exercise]) -> Class:
    """The class's figures."""
    every = list(marks)
    statuses = Counter(one.status for one in every)
    broken = statuses["judge failed"]
    return Class(
        len({one.student.id for one in every}), len(every), statuses["passed"],
        len(every) - statuses["passed"] - broken, broken,
        [_check_count(every, exercise.name, check.id) for exercise in exercises for check in exercise.check],
        _mistakes(every), _misconceptions(every),
    )  # fmt: skip


def _check_count(marks: list[Mark], exercise: str, name: str) -> CheckCount:
    seen = [
        check
        for one in marks
        if one.exercise == exercise and one.status != "judge failed"
        for check in one.checks
        if check.id == name
    ]
    told = Counter("skipped" if _is(one, "skipped") else one.passed for one in seen)
    return CheckCount(exercise, name, told[True], told[False], told[None], told["skipped"])


def _mistakes(marks: list[Mark]) -> list[Counted]:
    """Known wrong solutions that students' code does exactly the same as, the commonest first."""
    said = {(one.exercise, check.mistake): check.say for one in marks for check in one.checks if check.mistake}
    many = Counter(pair for one in marks for pair in {(one.exercise, check.mistake) for check in one.checks} if pair[1])
    order = sorted(many.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Counted(name, count, said[exercise, name] or Text("", ""), exercise) for (exercise, name), count in order]


def _misconceptions(marks: list[Mark]) -> list[Counted]:
    """Wrong ideas behind the mistakes, counted once a student."""
    by = {(one.student.id, check.misconception) for one in marks for check in one.checks if check.misconception}
    many = Counter(name for _, name in by)
    known = misconceptions()
    order = sorted(many.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Counted(name, count, known[name].claim) for name, count in order if name in known]


def taught(exercise: Exercise) -> Taught:
    """What a report says of an exercise."""
    return Taught(exercise.name, exercise.title, exercise.points, exercise.check)
