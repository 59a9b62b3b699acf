"""A submission judged: its file's text in a jail, one check after another."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tour.judge.jail import Isolation, Jail, open_jail
from tour.judge.limits import Limits
from tour.judge.run import raised, run_check, verdict
from tour.judge.source import Unreadable, read_source
from tour.judge.talk import Gone, Jailed, Raised
from tour.lesson import exercise as exercises
from tour.lesson.exercise import Exercise, ExerciseCheck
from tour.lesson.verdict import Cause, CheckVerdict, Verdict

LOAD_SECONDS = 10.0
OUTPUT_SHOWN = 500


class Court:
    """Judges submissions, one after another; jails are its own and gone after each."""

    def __init__(
        self, isolation: Isolation, limits: Limits, capable: Callable[[str], bool] = lambda name: True
    ) -> None:
        self.isolation: Isolation = isolation
        self.limits = limits
        self.capable = capable

    def judge(self, exercise: Exercise, folder: Path, seed: int) -> Verdict:
        """Every check of ``exercise`` on the file in ``folder``. Raises CapabilityMissing where there is no jail."""
        begun = time.monotonic()
        try:
            source = read_source(folder, exercise.file)
        except Unreadable as error:
            kind = "missing" if str(error).startswith("there is no") else "refused"
            return self._all(exercise, seed, Cause(kind, detail=str(error)))
        with ExitStack() as stack:
            cell = Cell(self, exercise, source, stack)
            checks = self._checks(exercise, cell, seed)
            return Verdict(
                exercise.name, seed, self.isolation, list(cell.layers), checks, cell.output()[:OUTPUT_SHOWN],
                round(time.monotonic() - begun, 3),
            )  # fmt: skip

    def _all(self, exercise: Exercise, seed: int, cause: Cause) -> Verdict:
        checks = [CheckVerdict(one.id, False, 0, one.points, cause, hidden=one.hidden) for one in exercise.check]
        return Verdict(exercise.name, seed, self.isolation, [], checks)

    def _checks(self, exercise: Exercise, cell: Cell, seed: int) -> list[CheckVerdict]:
        told: list[CheckVerdict] = []
        for check in exercise.check:
            told.append(self._check(exercise, check, cell, seed, told))
        return told

    def _check(
        self, exercise: Exercise, check: ExerciseCheck, cell: Cell, seed: int, told: list[CheckVerdict]
    ) -> CheckVerdict:
        if check.capability and not self.capable(check.capability):
            cause = Cause("skipped", field=check.capability)
            return CheckVerdict(check.id, None, 0, check.points, cause, hidden=check.hidden)
        lacking = [one.id for one in told if one.id in check.needs and one.passed is not True]
        if lacking:
            return CheckVerdict(check.id, None, 0, check.points, Cause("needs", field=lacking[0]), hidden=check.hidden)
        hopeless = cell.ready()
        if hopeless is not None:
            return CheckVerdict(check.id, False, 0, check.points, hopeless, hidden=check.hidden)
        run = run_check(exercise, check.id, cell.runner, cell.source, seed, self.limits.wall_seconds)
        first = all(one.passed is not False for one in told)
        cell.settle(run.cause)
        return verdict(exercise, check, run, seed, pictured=first)


class Cell:
    """The jail of one submission: made anew when the code in it is gone."""

    def __init__(self, court: Court, exercise: Exercise, source: str, stack: ExitStack) -> None:
        self.source = source
        self.layers: tuple[str, ...] = ()
        self._court, self._exercise, self._stack = court, exercise, stack
        self._jail: Jail | None = None
        self._said: list[str] = []
        self._hopeless: Cause | None = None
        self.runner: Jailed

    def ready(self) -> Cause | None:
        """See to a jail with the code loaded; why that cannot be, None if it is."""
        if self._jail is None and self._hopeless is None:
            hidden = (exercises.root(),)
            self._jail = self._stack.enter_context(open_jail(self._court.isolation, self._court.limits, hidden))
            self.layers = self._jail.layers
            self.runner = Jailed(self._jail.stream, self._jail.ended)
            self._hopeless = self._load()
        return self._hopeless

    def _load(self) -> Cause | None:
        try:
            self.runner.load(self._exercise.file, self.source, LOAD_SECONDS)
        except Raised as error:
            return raised(error)
        except Gone as gone:
            self._put_away()
            return Cause("timed-out" if gone.how == "timed out" else "ended", detail=gone.how)
        return None

    def settle(self, cause: Cause | None) -> None:
        """After a check: a jail whose code is gone is put away."""
        if cause is not None and cause.kind in ("timed-out", "ended"):
            self._put_away()

    def _put_away(self) -> None:
        if self._jail is not None:
            self._jail.kill()
            self._said.append(self._jail.output())
            self._jail = None

    def output(self) -> str:
        """What the code wrote, of all its jails; the jail is put away."""
        self._put_away()
        return "".join(self._said)
