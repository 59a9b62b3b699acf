"""One submission judged: every check in order, on fresh ground, each with inputs of its own from the seed."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tour.judge.bench import Bench
from tour.judge.ops import Broken, Op
from tour.judge.talk import Gone, Raised, Runner, Trusted
from tour.lesson.exercise import Exercise, ExerciseCheck, ExerciseError, Variant, load_exercise, variants
from tour.lesson.verdict import Cause, CheckVerdict
from tour.trace.events import Event, encode

TODO = "NotImplementedError"
EVENTS_MAX, LINES_MAX = 400, 1 << 20


class Run(NamedTuple):
    """What one check came to with one piece of code: its cause (None: passed), its operations, answers and events;
    ``ends`` is how many events there were at the end of each call."""

    cause: Cause | None
    log: list[Op]
    answers: list[object]
    events: list[Event]
    ends: list[int]
    seconds: float

    def alike(self, other: Run) -> bool:
        """Whether both did and gave exactly the same, up to how it was written."""
        return self._outcome() == other._outcome()

    def _outcome(self) -> tuple[object, ...]:
        did = [(op.on, op.method, op.args, op.result) for op in self.log]
        cause = self.cause and (self.cause.kind, self.cause.field, self.cause.expected, self.cause.found)
        return did, self.answers, cause


def run_check(exercise: Exercise, check: str, runner: Runner, source: str, seed: int, seconds: float) -> Run:
    """Run one check of ``exercise`` on code that ``runner`` has loaded. Raises what a defect of the check itself is."""
    function = _function(exercise.path("checks.py"), check)
    begun = time.monotonic()
    with ExitStack() as stack:
        bench = Bench(runner, f"{seed}:{exercise.name}:{check}", exercise.file, source, seconds, stack)
        cause = _cause(lambda: function(bench), bench)
    return Run(cause, bench.talk.log, bench.answers, bench.events, bench.ends, time.monotonic() - begun)


def _cause(check: Callable[[], object], bench: Bench) -> Cause | None:
    """Run it; why it broke, or None."""
    try:
        check()
    except Broken as broken:
        return Cause("differs", broken.field, broken.expected, broken.found, bench.talk.line)
    except Raised as error:
        return raised(error)
    except Gone as gone:
        return Cause("timed-out" if gone.how == "timed out" else "ended", detail=gone.how, line=bench.talk.line)
    return None


def raised(error: Raised) -> Cause:
    """An exception of the student's code, as a cause."""
    if error.kind == TODO:
        return Cause("todo", detail=error.text, line=error.line)
    if error.kind == "missing":
        return Cause("missing", field=error.text)
    return Cause("raised", detail=f"{error.kind}: {error.text}", line=error.line)


def known(exercise: Exercise, check: str, source: str, seed: int) -> Run:
    """One check with code of ours, in this process."""
    runner = Trusted()
    try:
        runner.load(exercise.file, source, 10)
    except Raised as error:
        return Run(raised(error), [], [], [], [], 0)
    return run_check(exercise, check, runner, source, seed, 10)


def _as_far(run: Run, calls: int) -> list[Event]:
    """What had happened when that many calls were over."""
    return run.events[: run.ends[calls - 1]] if 0 < calls <= len(run.ends) else run.events


@cache
def _reference(folder: str, check: str, seed: int) -> Run:
    exercise = _loaded(folder)
    return known(exercise, check, exercise.solution(), seed)


@cache
def _mistake(folder: str, variant: Variant, check: str, seed: int) -> Run:
    return known(_loaded(folder), check, variant.source, seed)


@cache
def _loaded(folder: str) -> Exercise:
    return load_exercise(Path(folder))


def verdict(exercise: Exercise, check: ExerciseCheck, run: Run, seed: int, *, pictured: bool) -> CheckVerdict:
    """What is told of one check that ran: with the known mistake that does the same, and with both recordings where
    it is to be pictured."""
    if run.cause is None:
        return CheckVerdict(check.id, True, check.points, check.points, hidden=check.hidden, seconds=run.seconds)
    mistake = detect(exercise, check.id, run, seed)
    pictured = pictured and not check.hidden
    return CheckVerdict(
        check.id, False, 0, check.points, cause=run.cause, hidden=check.hidden, seconds=run.seconds,
        mistake=mistake.name if mistake else "", say=mistake.say if mistake else None,
        misconception=mistake.misconception if mistake else "",
        found=_lines(run.events) if pictured else [],
        wanted=_lines(_as_far(_reference(exercise.folder, check.id, seed), len(run.ends))) if pictured else [],
    )  # fmt: skip


def detect(exercise: Exercise, check: str, run: Run, seed: int) -> Variant | None:
    """The known wrong solution that does exactly what this code did in ``check``, None if there is none; one that
    breaks just this check rather than one that breaks an earlier one too."""
    for wrong in sorted(variants(exercise, "wrong"), key=lambda one: one.check != check):
        if _mistake(exercise.folder, wrong, check, seed).alike(run):
            return wrong
    return None


def _lines(events: list[Event]) -> list[str]:
    """A recording's lines, as many as a picture can be made of: the first ``EVENTS_MAX``, ``LINES_MAX`` bytes."""
    kept, size = [], 0
    for event in events[:EVENTS_MAX]:
        line = encode(event).decode().rstrip()
        if (size := size + len(line)) > LINES_MAX:
            break
        kept.append(line)
    return kept


@cache
def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"tour_checks_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise ExerciseError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _function(path: Path, check: str) -> Callable[[Bench], object]:
    found = getattr(_module(path), check, None)
    if not callable(found):
        raise ExerciseError(f"{path.parent.name}/checks.py has no check '{check}'.")
    return found  # type: ignore[no-any-return]
