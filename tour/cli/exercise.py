"""``tour exercise``: begin one, have it checked, be helped, go on."""

from __future__ import annotations

import difflib
import sys
import time
from pathlib import Path

import msgspec

from tour.classroom import told, workspace
from tour.classroom.judges import Asked, JudgeLost, Judges
from tour.classroom.skeleton import steps
from tour.classroom.workspace import Workspace
from tour.cli.output import say, tell
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.exercise import HINTS, Exercise, exercises, find
from tour.lesson.verdict import Verdict
from tour.view.text import wrap

LIST_SCHEMA, CHECK_SCHEMA, STATUS_SCHEMA = (f"vhost-tour/exercise-{name}/1" for name in ("list", "check", "status"))
LOOK_SECONDS = 0.25
WIDTH = 78


class CheckOptions(msgspec.Struct, frozen=True):
    """What ``tour exercise check`` was asked for."""

    folder: str
    lang: Lang
    watch: bool = False
    json: bool = False
    isolation: str = "full"


def list_exercises(lang: Lang, json: bool) -> int:
    """Every exercise, in the course's order."""
    every = exercises()
    if json:
        rows = [
            {"id": one.id, "name": one.name, "title": one.title.get(lang), "lesson": one.lesson, "kind": one.kind,
             "minutes": one.minutes, "points": one.points, "steps": len(steps(one.solution()))}
            for one in every
        ]  # fmt: skip
        _json({"schema": LIST_SCHEMA, "exercises": rows})
        return 0
    for one in every:
        about = t(lang, "exercise.row", lesson=one.lesson, minutes=one.minutes, points=one.points)
        tell(f"{one.id}  {one.name:<14} {one.title.get(lang)}  {about}")
    tell()
    tell(t(lang, "exercise.list_foot", name=every[0].name if every else "NAME"))
    return 0


def start(name: str, folder: str, from_step: int, lang: Lang) -> int:
    """A new folder to work in. Raises ExerciseError, UsageError, WorkspaceError."""
    exercise = find(name)
    made = workspace.start(exercise, Path(folder or exercise.name), lang, from_step)
    tell(t(lang, "exercise.started", file=str(made.file), title=exercise.title.get(lang)))
    tell()
    for paragraph in exercise.text(lang, "goal").split("\n\n"):
        for line in wrap(" ".join(paragraph.splitlines()), WIDTH):
            tell(line)
        tell()
    tell(t(lang, "exercise.started_foot", folder=str(made.folder), lesson=exercise.lesson))
    return 0


def check(options: CheckOptions) -> int:
    """Judge the learner's file: 0 when every check passed, 1 if not. Raises TourError."""
    work = Workspace(Path(options.folder))
    with Judges[str](1, options.isolation) as judges:
        if not options.watch:
            return _checked(work, judges, options)
        seen = None
        while True:
            now = _stamp(work.file)
            if now != seen:
                seen = now
                _checked(work, judges, options)
                say(t(options.lang, "exercise.watching", file=work.exercise.file))
            time.sleep(LOOK_SECONDS)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _checked(work: Workspace, judges: Judges[str], options: CheckOptions) -> int:
    source, before = work.source(), work.state
    asked = Asked(work.exercise.name, work.folder.absolute(), before.seed)
    for _, outcome in judges.run(iter([("it", asked)])):
        if outcome.verdict is None:
            raise JudgeLost("The judge failed; your code was not judged.", outcome.failed, "tour doctor")
        verdict = outcome.verdict
    work.note(attempts=before.attempts + 1, solved=before.solved or verdict.solved)
    if options.json:
        _json({"schema": CHECK_SCHEMA, "solved": verdict.solved, "verdict": msgspec.to_builtins(verdict)})
        return 0 if verdict.solved else 1
    for line in told.lines(work.exercise, verdict, source, options.lang):
        tell(line)
    if verdict.solved:
        _solved(work, options.lang)
    else:
        _unsolved(work, verdict, options.lang)
    return 0 if verdict.solved else 1


def _solved(work: Workspace, lang: Lang) -> None:
    tell()
    for line in wrap(" ".join(work.exercise.text(lang, "after").split()), WIDTH):
        tell(line)
    tell()
    following = _following(work.exercise)
    tell(t(lang, "exercise.solved_next" if following else "exercise.solved_last", name=following))


def _unsolved(work: Workspace, verdict: Verdict, lang: Lang) -> None:
    tell()
    left = HINTS - work.state.hints
    tell(t(lang, "exercise.hints_left" if left else "exercise.no_hints_left", left=left))


def _following(exercise: Exercise) -> str:
    names = [one.name for one in exercises()]
    at = names.index(exercise.name) + 1
    return names[at] if at < len(names) else ""


def hint(folder: str, lang: Lang) -> int:
    """The next of the hints, or the last again. Raises WorkspaceError."""
    work = Workspace(Path(folder))
    shown = min(work.state.hints + 1, HINTS)
    work.note(hints=shown)
    tell(t(lang, "exercise.hint", n=shown, count=HINTS))
    for line in wrap(work.exercise.hint[shown - 1].get(lang), WIDTH):
        tell(line)
    tell()
    tell(t(lang, "exercise.hint_more" if shown < HINTS else "exercise.hint_last"))
    return 0


def solution(folder: str, lang: Lang) -> int:
    """The reference, as what would change in the learner's file. Raises UsageError before it may be seen."""
    work = Workspace(Path(folder))
    if not work.state.solved and work.state.hints < HINTS:
        raise UsageError(
            "The solution is shown once it is solved, or after the third hint.",
            f"{work.state.hints} of {HINTS} hints were shown.",
            "tour exercise hint",
        )
    ours = [f"{line}\n" for line in work.source().splitlines()]
    theirs = [f"{line}\n" for line in work.exercise.solution().splitlines()]
    for line in difflib.unified_diff(ours, theirs, work.exercise.file, "solution.py"):
        tell(line.rstrip("\n"))
    if ours == theirs:
        tell(t(lang, "exercise.same"))
    return 0


def reset(folder: str, lang: Lang) -> int:
    """Begin anew; what was there is kept aside. Raises WorkspaceError."""
    work = Workspace(Path(folder))
    aside = work.reset()
    tell(t(lang, "exercise.reset", file=work.exercise.file, aside=aside.name if aside else "-"))
    return 0


def status(folder: str, lang: Lang, json: bool) -> int:
    """Where the learner is. Raises WorkspaceError."""
    work = Workspace(Path(folder))
    state = work.state
    if json:
        _json({"schema": STATUS_SCHEMA, **msgspec.to_builtins(state), "hints_of": HINTS} | {"schema": STATUS_SCHEMA})
        return 0
    key = "exercise.status_solved" if state.solved else "exercise.status_open"
    title = work.exercise.title.get(lang)
    tell(t(lang, key, title=title, attempts=state.attempts, hints=state.hints, count=HINTS))
    return 0


def _json(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
