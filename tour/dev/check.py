"""``tour dev check``: all rules over the lessons asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import msgspec

from tour.agent import client
from tour.dev import cites, claims, played, questions, sources, structure, texts
from tour.dev.finding import SCHEMA, Finding
from tour.errors import CapabilityMissing, TourError
from tour.i18n import Lang, local
from tour.lesson import model
from tour.lesson.model import Lesson, LessonError

SHARED = "shared"
"""What the rules call the files that all lessons share; also the name for ``tour dev claims``."""


class Skipped(msgspec.Struct, frozen=True):
    """A rule that could not be looked at here: ``name`` is what TOUR_REQUIRE calls what is missing."""

    name: str
    why: str
    fix: str


class Report(msgspec.Struct):
    """What was found. ``lessons`` names what was looked at."""

    lessons: list[str] = []
    findings: list[Finding] = []
    skipped: list[Skipped] = []

    def plain(self, lang: Lang) -> dict[str, object]:
        """The same for programs."""
        found = [finding.plain(lang) for finding in self.findings]
        left = [
            {"name": each.name, "why": local(lang, each.why), "fix": local(lang, each.fix)} for each in self.skipped
        ]
        return {"schema": SCHEMA, "lessons": self.lessons, "findings": found, "skipped": left}


def check(wanted: list[str], linux_source: str, require: set[str], on_lesson: Callable[[str], None]) -> Report:
    """Look at the lessons named, for none all that are ready, and at what they share. ``on_lesson`` hears of each.
    Raises CapabilityMissing when something of ``require`` is missing, LessonError for an unknown lesson."""
    places = model.folders()
    ready = {name: folder for name, folder in places.items() if structure.ready(name)}
    chosen = {name.lstrip("0") or "0": _folder(name, places) for name in wanted} or ready
    report = Report()
    cited: list[tuple[Path, str]] = []
    missing = _missing()
    for name, folder in chosen.items():
        on_lesson(name)
        report.lessons.append(name)
        cited += _lesson(folder, report, played_too=missing is None)
    if not wanted:
        report.findings += questions.misconceptions() + claims_of_shared()
        cited += cites.shared()
    _cites(cited, linux_source, require, report)
    if missing is not None:
        _skip(report, require, missing)
    return report


def _folder(name: str, places: dict[str, Path]) -> Path:
    wanted = name.lstrip("0") or "0"
    if wanted not in places:
        raise LessonError(
            f"There is no lesson '{name}'.", f"Lessons that are ready: {', '.join(places)}.", "tour start 8"
        )
    return places[wanted]


def _missing() -> CapabilityMissing | None:
    """What keeps this machine from running a lesson on a tap."""
    return client.can_run_live()


def _skip(report: Report, require: set[str], missing: CapabilityMissing) -> None:
    if missing.name in require:
        raise missing
    report.skipped.append(Skipped(missing.name, missing.what, missing.fix))


def _lesson(folder: Path, report: Report, *, played_too: bool) -> Iterable[tuple[Path, str]]:
    """All rules over one folder; returns what it cites."""
    try:
        lesson = model.load_folder(folder)
        report.findings += rules(lesson)
        cited = list(cites.of_lesson(lesson))
    except LessonError as error:
        values = {"what": error.what, "why": error.why or "-"}
        report.findings.append(Finding(folder / "lesson.toml", 1, "unreadable", values))
        return []
    if played_too:
        report.findings += _played(lesson)
    return cited


def rules(lesson: Lesson) -> list[Finding]:
    """Every rule that needs nothing but the files. Raises LessonError."""
    found = structure.faults(lesson) + texts.faults(lesson) + questions.faults(lesson)
    if structure.ready(lesson.id):
        found += claims.faults(Path(lesson.folder) / "claims.toml", claims.told(lesson), lesson.id)
    return found


def _played(lesson: Lesson) -> list[Finding]:
    try:
        return played.faults(lesson, played.runs_of(lesson))
    except TourError as error:
        values = {"what": error.what, "why": error.why or "-"}
        return [Finding(lesson.scene_path(), 1, "run_failed", values)]


def claims_of_shared() -> list[Finding]:
    """What is wrong with the claims of misconceptions.toml; those of lessons in work alone may wait. Raises
    LessonError."""
    found = claims.faults(model.root() / "claims.toml", claims.told_of_misconceptions(), SHARED)
    waiting = questions.in_work()
    return [finding for finding in found if finding.values.get("place") not in waiting]


def _cites(cited: Iterable[tuple[Path, str]], linux_source: str, require: set[str], report: Report) -> None:
    trees = sources.trees(linux_source)
    found, unknown = cites.faults(iter(chain(cited)), trees)
    report.findings += found
    for version in sorted(unknown):
        why = f"There are no sources of Linux {version} here."
        fix = f"unpack Debian's package linux-source-{version}, then tour dev check --linux-source FOLDER"
        if "linux-source" in require and not trees:
            raise CapabilityMissing("linux-source", why, "", fix)
        report.skipped.append(Skipped("linux-source", why, fix))


def claims_file(name: str) -> tuple[Path, list[claims.Sentence], str]:
    """The file of claims of a lesson (or of what they share), the sentences it must cover, and its name. Raises
    LessonError."""
    if name == SHARED:
        return model.root() / "claims.toml", claims.told_of_misconceptions(), SHARED
    lesson = model.load(name)
    return Path(lesson.folder) / "claims.toml", claims.told(lesson), lesson.id
