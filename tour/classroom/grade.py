"""Grading many: each piece of work read once, judged by one of several judges, kept in a journal, and counted."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from tour.classroom import marks
from tour.classroom.intake import Intake, Work, take_in
from tour.classroom.journal import Entry, Journal, Key, key_of
from tour.classroom.judges import COMMAND, Asked, Judges, Outcome
from tour.classroom.roster import Roster, read_roster
from tour.classroom.tree import NotThere
from tour.errors import UsageError
from tour.lesson.exercise import Exercise

SEED_BITS = 32
STAGE = ".work"
Progress = Callable[[int, int, int], None]
"""Told how many are done, how many there are, and how many of those were in the journal already."""


class Order(msgspec.Struct, frozen=True):
    """What is to be graded, and how. ``seed`` None: the journal's, else a new one. ``out``: where the journal is.
    ``alone``: a path is one student's, never a class."""

    paths: list[Path]
    exercise: str = ""
    roster: Path | None = None
    jobs: int = 1
    isolation: str = "full"
    seed: int | None = None
    out: Path | None = None
    alone: bool = False
    command: Sequence[str] = COMMAND


def grade(order: Order, progress: Progress = lambda done, whole, kept: None) -> marks.Report:
    """Grade everything. Raises UsageError for what was asked wrongly, CapabilityMissing where this machine cannot
    hold students' code, JudgeLost. What had been judged when it is interrupted is in the journal."""
    roster = read_roster(order.roster) if order.roster else Roster()
    alone = order.alone or order.isolation == "container"
    intake = take_in(order.paths, order.exercise, roster, alone)
    _alone(intake, order.isolation)
    with Journal(order.out) as journal, contextlib.ExitStack() as stack:
        seed = order.seed if order.seed is not None else journal.seed
        seed = secrets.randbits(SEED_BITS) if seed is None else seed
        run = Run(intake.work, seed, order.isolation, journal, progress)
        jobs = max(1, min(order.jobs, len(intake.work)))
        judges: Judges[int] = stack.enter_context(Judges(jobs, order.isolation, order.command))
        run.all(judges, stack.enter_context(_stage(order.out)))
    return _report(run, intake)


@contextlib.contextmanager
def _stage(out: Path | None) -> Iterator[Path]:
    """A folder for what is being judged. It lies beside the journal, so that the next run takes away what a killed one
    left of it."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="tour-grade-") as folder:
            yield Path(folder)
        return
    place = out / STAGE
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _alone(intake: Intake, isolation: str) -> None:
    """Without namespaces nothing keeps one student's processes from another's but the container around them."""
    if isolation == "container" and len(intake.work) > 1:
        raise UsageError(
            "--isolation container takes one submission.",
            "Several need namespaces between them.",
            "use --isolation full, or one container for each submission",
        )


class Run:
    """One run over all the work. ``marks`` are in its order, None where there is none yet."""

    def __init__(self, work: Sequence[Work], seed: int, isolation: str, journal: Journal, progress: Progress) -> None:
        self.work = work
        self.seed = seed
        self.isolation = isolation
        self.marks: list[marks.Mark | None] = [None] * len(work)
        self._journal = journal
        self._progress = progress
        self._keys: dict[int, Key] = {}
        self._done = 0
        self._kept = 0

    def all(self, judges: Judges[int], stage: Path) -> None:
        """Judge all of it."""
        self._progress(0, len(self.work), 0)
        for at, outcome in judges.run(self._tasks(stage)):
            self._take(at, outcome)
            (stage / str(at) / self.work[at].exercise.file).unlink()
            (stage / str(at)).rmdir()

    def _tasks(self, stage: Path) -> Iterator[tuple[int, Asked]]:
        """What has to be judged, each laid out in a folder of its own as it was when its turn came."""
        for at, work in enumerate(self.work):
            source = self._source(at, work)
            if source is None:
                continue
            folder = stage / str(at)
            folder.mkdir()
            (folder / work.exercise.file).write_bytes(source)
            yield at, Asked(work.exercise.name, folder, self.seed)

    def _source(self, at: int, work: Work) -> bytes | None:
        """The submission's bytes; None where there is nothing to be judged."""
        try:
            source = work.read()
        except UsageError as error:
            kind = "missing" if isinstance(error, NotThere) else "refused"
            verdict = marks.refused(work.exercise, self.seed, self.isolation, kind, marks.clean(error.what))
            self._settle(at, marks.mark(work.student, verdict, ""))
            return None
        key = key_of(work.student.id, work.exercise, source, self.seed, self.isolation)
        known = self._journal.get(key)
        if known is not None and known.verdict is not None:
            self._kept += 1
            self._settle(at, marks.mark(work.student, known.verdict, key.submission))
            return None
        self._keys[at] = key
        return source

    def _take(self, at: int, outcome: Outcome) -> None:
        work, key = self.work[at], self._keys[at]
        verdict = outcome.verdict
        if verdict is None:
            self._journal.put(Entry(key, failed=outcome.failed))
            self._settle(at, marks.unmarked(work.student, work.exercise, outcome.failed, key.submission))
            return
        bare = [msgspec.structs.replace(check, found=[], wanted=[]) for check in verdict.checks]
        verdict = msgspec.structs.replace(verdict, checks=bare)
        self._journal.put(Entry(key, verdict))
        self._settle(at, marks.mark(work.student, verdict, key.submission))

    def _settle(self, at: int, mark: marks.Mark) -> None:
        self.marks[at] = mark
        self._done += 1
        self._progress(self._done, len(self.work), self._kept)


def _report(run: Run, intake: Intake) -> marks.Report:
    given = [mark for mark in run.marks if mark is not None]
    assert len(given) == len(run.work)
    exercises = _exercises(intake.work)
    layers = list(dict.fromkeys(layer for mark in given for layer in mark.layers))
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return marks.Report(
        run.seed, run.isolation, layers, made, [marks.taught(one) for one in exercises], given,
        marks.counted(given, exercises), intake.strangers, [marks.clean(name) for name in intake.ignored],
    )  # fmt: skip


def _exercises(work: Sequence[Work]) -> list[Exercise]:
    return sorted({piece.exercise.name: piece.exercise for piece in work}.values(), key=lambda one: one.id)


def cores() -> int:
    """How many judges run side by side unless told otherwise: checks are timed, more would disturb one another."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
