"""An exercise's files as records: ``exercise.toml``, ``text.LANG.md``, the reference solution and its kin."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.model import Text, read_toml

SOLUTION = "solution.py"
START = "start.py"
HINTS = 3


class ExerciseError(UsageError):
    """An exercise folder that cannot be read."""


class ExerciseCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check: a function ``id`` of checks.py.

    ``why`` is what a failure means, one sentence. ``needs`` are checks that must have passed before; ``hidden`` ones
    are told only as passed or not. ``capability`` is what the machine must have (``tun``), else it is skipped.
    """

    id: str
    title: Text
    why: Text
    points: int = 1
    needs: list[str] = []
    hidden: bool = False
    capability: str = ""


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exercise. ``file`` is what the learner writes, ``functions`` what the checks call in it.

    ``kind``: ``write`` (the skeleton is the solution without its steps) or ``mend`` (it is ``start.py``, a real bug).
    ``hint`` goes from where to look over which rule to the shape of the answer.
    """

    id: str
    name: str
    lesson: str
    title: Text
    minutes: int
    file: str
    functions: list[str]
    check: list[ExerciseCheck]
    hint: list[Text]
    kind: Literal["write", "mend"] = "write"
    folder: str = ""
    texts: dict[str, dict[str, str]] = {}

    @property
    def points(self) -> int:
        """The most that can be had."""
        return sum(check.points for check in self.check)

    def path(self, name: str) -> Path:
        """A file of its folder."""
        return Path(self.folder) / name

    def text(self, lang: Lang, section: str) -> str:
        """A section of its text: ``goal`` before, ``after`` once it is solved."""
        return self.texts[lang].get(section, "")

    def solution(self) -> str:
        """The reference solution."""
        return self.path(SOLUTION).read_text("utf-8")


class Variant(msgspec.Struct, frozen=True):
    """Another solution shipped with an exercise: a right one, or a wrong one and what it does wrong.

    ``check`` is the first check that a wrong one breaks, ``misconception`` an entry of misconceptions.toml or empty.
    """

    name: str
    source: str
    say: Text
    check: str = ""
    misconception: str = ""


@cache
def root() -> Path:
    """The exercises' folder: ``exercises`` beside this package's source, else the installed ``tour_exercises``."""
    beside = Path(__file__).parents[2] / "exercises"
    if any(beside.glob("[0-9][0-9]_*")):
        return beside
    spec = importlib.util.find_spec("tour_exercises")
    for place in (spec.submodule_search_locations or []) if spec else []:
        return Path(place)
    raise ExerciseError(
        "The exercises are not installed.", "The package tour_exercises is missing.", "pip install vhost-tour"
    )


def exercises() -> list[Exercise]:
    """All of them, in order."""
    return [load_exercise(folder) for folder in sorted(root().glob("[0-9][0-9]_*")) if folder.is_dir()]


def find(name: str) -> Exercise:
    """The exercise of that name or number. Raises ExerciseError with what is there instead."""
    every = exercises()
    for one in every:
        if name in (one.name, one.id, one.id.lstrip("0")):
            return one
    known = ", ".join(one.name for one in every)
    raise ExerciseError(f"There is no exercise '{name}'.", f"There are: {known}.", "tour exercise list")


def load_exercise(folder: Path) -> Exercise:
    """The exercise in ``folder``. Raises ExerciseError, LessonError."""
    raw = read_toml(folder / "exercise.toml")
    raw.pop("format_version", None)
    texts = {lang: _sections(folder / f"text.{lang}.md") for lang in ("en", "zh")}
    try:
        found = msgspec.convert(raw | {"folder": str(folder), "texts": texts}, Exercise)
    except msgspec.ValidationError as error:
        raise ExerciseError(f"{folder.name}/exercise.toml is not an exercise.", str(error)) from error
    if len(found.hint) != HINTS:
        raise ExerciseError(f"{folder.name} has {len(found.hint)} hints.", f"There must be {HINTS}.")
    return found


def variants(exercise: Exercise, kind: Literal["alternatives", "wrong"]) -> list[Variant]:
    """The other right solutions, or the wrong ones, by name. Raises ExerciseError."""
    return [_variant(path) for path in sorted(exercise.path(kind).glob("*.py"))]


def _variant(path: Path) -> Variant:
    source = path.read_text("utf-8")
    head = dict(re.findall(r"^# (wrong|en|zh|misconception): (.+)$", source, flags=re.M))
    if not {"en", "zh"} <= set(head):
        raise ExerciseError(f"{path.name} does not say what it is.", "Its first lines are '# en: ...' and '# zh: ...'.")
    say = Text(head["en"], head["zh"])
    return Variant(path.stem, source, say, head.get("wrong", ""), head.get("misconception", ""))


def _sections(path: Path) -> dict[str, str]:
    try:
        body = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{path.name} cannot be read.", f"{path}: {error}") from error
    pieces = re.split(r"^## +(\S+) *$", body, flags=re.M)
    return {name: text.strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
