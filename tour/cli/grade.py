"""``tour grade``: submissions in, reports out."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from tour.cli.output import say, tell, tell_bytes
from tour.errors import UsageError
from tour.i18n import Lang, t

if TYPE_CHECKING:
    from tour.classroom.marks import Report

FORMATS = ("text", "json", "junit", "gradescope", "classroom50", "csv", "markdown")
ISOLATIONS = ("full", "container")
BAR = 30
JOBS_MAX = 64
NAMED = 3


class GradeOptions(msgspec.Struct, frozen=True):
    """What ``tour grade`` was asked for."""

    paths: list[str]
    lang: Lang
    formats: str = "text"
    out: str = ""
    jobs: int = 0
    exit_zero: bool = False
    isolation: str = "full"
    exercise: str = ""
    roster: str = ""
    seed: int | None = None


def grade(options: GradeOptions) -> int:
    """Grade and report; 0 when every submission passed, else 1. Raises TourError."""
    formats = _formats(options)
    from tour.classroom import grade as grading
    from tour.classroom.report import classroom50

    if "classroom50" in formats:
        classroom50.check_environment()
    order = grading.Order(
        [Path(path) for path in options.paths], options.exercise, Path(options.roster) if options.roster else None,
        options.jobs or grading.cores(), options.isolation, options.seed, Path(options.out) if options.out else None,
        "classroom50" in formats,
    )  # fmt: skip
    bar = Bar(options.lang)
    with _ended_politely(), contextlib.closing(bar):
        report = grading.grade(order, bar.show)
    _put(report, formats, options)
    return _code(report, options)


def _formats(options: GradeOptions) -> list[str]:
    """The formats asked for. Raises UsageError for what does not fit together."""
    formats = list(dict.fromkeys(name.strip() for name in options.formats.split(",") if name.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        named = unknown[0] if unknown else options.formats
        raise UsageError(f"There is no format '{named}'.", f"There are: {', '.join(FORMATS)}.")
    if options.isolation not in ISOLATIONS:
        raise UsageError(f"There is no isolation '{options.isolation}'.", "There are: full, container.")
    if not options.out and (len(formats) > 1 or formats[0] == "csv"):
        raise UsageError("Several files need a place.", "", "give a folder: --out DIR")
    if not 0 <= options.jobs <= JOBS_MAX:
        raise UsageError(f"--jobs takes 1 to {JOBS_MAX}.")
    return formats


def _put(report: Report, formats: list[str], options: GradeOptions) -> None:
    """The reports into their folder, or the only one to standard output."""
    for name in formats:
        make: Callable[[Report, Lang], dict[str, bytes]]
        make = importlib.import_module(f"tour.classroom.report.{name}").files
        files = make(report, options.lang)
        for path, data in files.items():
            if options.out:
                _write(Path(options.out) / path, data)
            else:
                _tell(name, data)
        if options.out:
            _say_written(list(files), options.lang)


def _say_written(paths: list[str], lang: Lang) -> None:
    """Each file by name, a folder full of them by its own."""
    told = paths if len(paths) <= NAMED else [f"{Path(paths[0]).parent}/ ({len(paths)})"]
    for path in told:
        say(t(lang, "grade.written", path=path))


def _tell(name: str, data: bytes) -> None:
    if name in ("text", "markdown"):
        tell(data.decode().rstrip("\n"))
    else:
        tell_bytes(data)


def _write(path: Path, data: bytes) -> None:
    """As a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def _code(report: Report, options: GradeOptions) -> int:
    """Whether grading ran is told even where failed checks are to be no error."""
    whole = report.whole
    say(t(options.lang, "grade.whole", submissions=whole.submissions, passed=whole.passed, failed=whole.failed))
    if whole.judge_failed:
        say(t(options.lang, "grade.whole_judge", count=whole.judge_failed).strip())
    if whole.judge_failed == whole.submissions:
        return 4
    return 0 if options.exit_zero or whole.passed == whole.submissions else 1


class Bar:
    """How far it is: a line that is drawn over on a terminal, elsewhere a line each tenth."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._tenth = -1
        self._begun = False
        self._drawn = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def show(self, done: int, whole: int, kept: int) -> None:
        """``done`` of ``whole`` are graded, ``kept`` of them in an earlier run."""
        words = t(self._lang, "grade.progress", done=done, whole=whole)
        if kept:
            words += t(self._lang, "grade.kept", kept=kept)
        tenth = 10 * done // whole
        if self._drawn:
            full = BAR * done // whole
            print(f"\r[{'#' * full}{'.' * (BAR - full)}] {words}", end="", file=sys.stderr, flush=True)
            self._begun = True
        elif tenth > self._tenth and whole > 1:
            say(words)
        self._tenth = tenth

    def close(self) -> None:
        """What comes next begins a line of its own."""
        if self._begun:
            say()


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM is Ctrl-C: judges are ended, folders taken away."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
