"""A lesson's files as records: ``lesson.toml`` and ``text.LANG.md`` of one folder under ``lessons/``."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tour.errors import UsageError
from tour.i18n import Lang

FORMAT = 1
OWN_ENV = "VHOST_TOUR_LESSONS"
"""Environment variable: a folder with lessons of one's own."""
NUMBERED = "[0-9][0-9]_*"
T = TypeVar("T")


class LessonError(UsageError):
    """A lesson folder that cannot be read."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in both languages."""

    en: str
    zh: str

    def get(self, lang: Lang) -> str:
        """The words in ``lang``."""
        return self.zh if lang == "zh" else self.en


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice of a prediction; it is the right one when all of ``when`` hold of what then happened.
    ``misconception`` is the entry of misconceptions.toml that a learner who takes it may hold."""

    id: str
    text: Text
    when: list[str]
    misconception: str = ""


class Predict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question of a step."""

    question: Text
    choice: list[Choice]


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a step's checklist: a predicate of ``trace.paths``."""

    id: str
    text: Text
    expr: str


class Ref(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the facts of a step come from: spec clause, kernel function and file, QEMU's name."""

    spec: str = ""
    kernel: str = ""
    qemu: str = ""


class StepFork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a step asks, checks and cites in one fork, where that is not what it does otherwise."""

    title: Text | None = None
    predict: Predict | None = None
    check: list[Check] | None = None
    ref: list[Ref] | None = None
    actor: str | None = None
    line: str | None = None
    show: str | None = None


class StepSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step: one state transition. ``fork`` says what is different in the forks named."""

    id: str
    verb: str
    show: str
    actor: str
    title: Text | None = None
    line: str = ""
    predict: Predict | None = None
    check: list[Check] = []
    ref: list[Ref] = []
    fork: dict[str, StepFork] = {}

    def name(self, lang: Lang) -> str:
        """What a person reads for this step: its title, else its id."""
        return self.title.get(lang) if self.title else self.id

    def within(self, vary: str) -> StepSpec:
        """This step as it is in the fork ``vary``."""
        changes = msgspec.structs.asdict(self.fork.get(vary, StepFork()))
        return msgspec.structs.replace(self, **{key: value for key, value in changes.items() if value is not None})


class Vary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fork offered at step ``at``; ``set`` holds num, base, skip, buffers or room (how many buffers are offered to
    receive into, and how large); what else is different the scene knows (its functions ``step_fork``)."""

    id: str
    at: str
    title: Text
    text: Text
    set: dict[str, int | str] = {}


class FigureSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a figure that the scene tells is called, and in what it is counted."""

    name: str
    label: Text
    unit: Text | None = None


class ListingSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The title of a listing that the scene tells, and of its columns."""

    name: str
    title: Text
    column: list[Text]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A series of a plot: its id in the trace and what it is called."""

    id: str
    label: Text


class PlotSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plot of points that the scene tells: title, axes with their units, which of them are logarithmic (``x``, ``y``,
    ``xy`` or empty), its series in the order in which they are drawn."""

    name: str
    title: Text
    x: Text
    y: Text
    series: list[Line]
    log: str = ""


class StepText(msgspec.Struct, frozen=True):
    """The words of one step in one language."""

    orient: str = ""
    explain: str = ""
    more: str = ""


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole lesson; ``folder`` and ``texts`` are filled in by ``load``.

    ``needs`` names capabilities without which it is replayed (``tun``); ``set_up`` is the last stage of
    ``scene.set_up.STAGES`` that stands before the first step, empty for none. A fork goes on from the memory and
    indices of a moment; with ``again``, and where no ring runs at first, the steps before it are done anew.
    ``figure``, ``listing`` and ``plot`` say what things are called that the scene measures; ``word`` what ``@key`` in
    a listing or a program stands for. ``cpus`` is how many its machine must have in the lab, 0 for the lab's usual.
    """

    id: str
    slug: str
    title: Text
    minutes: int
    step: list[StepSpec]
    needs: list[str] = []
    set_up: str = "attach"
    again: bool = False
    cpus: int = 0
    vary: list[Vary] = []
    after: Text | None = None
    figure: list[FigureSpec] = []
    listing: list[ListingSpec] = []
    plot: list[PlotSpec] = []
    word: dict[str, Text] = {}
    folder: str = ""
    texts: dict[str, dict[str, StepText]] = {}

    @property
    def step_ids(self) -> tuple[str, ...]:
        """Step ids in order."""
        return tuple(step.id for step in self.step)

    def spec(self, step: str, vary: str = "") -> StepSpec:
        """The step of that id, as it is in the fork ``vary``."""
        return next(spec for spec in self.step if spec.id == step).within(vary)

    def text(self, lang: Lang, step: str, vary: str = "") -> StepText:
        """The words of ``step``; in the fork ``vary`` those of its section ``step@vary``, where it has one."""
        texts = self.texts[lang]
        return texts.get(f"{step}@{vary}") or texts.get(step, StepText())

    def scene_path(self) -> Path:
        """The scene code that makes the steps happen."""
        return Path(self.folder) / "scene.py"

    def scene_digest(self) -> str:
        """SHA-256 of the scene code, 64 hex digits; '' of the sandbox, which has none. Raises LessonError."""
        try:
            return "" if not self.folder else hashlib.sha256(self.scene_path().read_bytes()).hexdigest()
        except OSError as error:
            raise LessonError(f"The lesson in {Path(self.folder).name} has no scene.py.", str(error)) from error

    def recording_path(self) -> Path:
        """The reference recording shipped with the lesson."""
        return Path(self.folder) / "kernel.trace.jsonl"


@cache
def root() -> Path:
    """The lessons' folder: the installed ``tour_lessons``, else ``lessons`` beside this package's source."""
    beside = Path(__file__).parents[2] / "lessons"
    if (beside / "course.toml").is_file():
        return beside
    spec = importlib.util.find_spec("tour_lessons")
    for place in (spec.submodule_search_locations or []) if spec else []:
        return Path(place)
    raise LessonError(
        "The lessons are not installed.", "The package tour_lessons is missing.", "pip install vhost-tour"
    )


def folders() -> dict[str, Path]:
    """Lesson id to folder, for every lesson present: the course's, and those in the folder ``VHOST_TOUR_LESSONS``
    names, as far as the course has none of that number."""
    own = os.environ.get(OWN_ENV)
    places = [path for place in [*([Path(own)] if own else []), root()] for path in sorted(place.glob(NUMBERED))]
    return {str(int(path.name[:2])): path for path in places if path.is_dir()}


def load(lesson_id: str) -> Lesson:
    """The lesson called ``lesson_id`` (its number). Raises LessonError with what is there instead."""
    places = folders()
    wanted = lesson_id.lstrip("0") or "0"
    if wanted not in places:
        raise LessonError(
            f"There is no lesson '{lesson_id}'.", f"Lessons that are ready: {', '.join(places)}.", "tour list"
        )
    return load_folder(places[wanted])


def load_folder(folder: Path) -> Lesson:
    """The lesson in ``folder``. Raises LessonError."""
    raw = read_toml(folder / "lesson.toml")
    texts = {lang: _texts(folder / f"text.{lang}.md") for lang in ("en", "zh")}
    lesson = _convert(raw, Lesson, folder / "lesson.toml")
    return msgspec.structs.replace(lesson, folder=str(folder), texts=texts)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises LessonError naming file and line."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LessonError(f"{path.name} cannot be read.", f"{path}: {error}") from error


def _convert(raw: dict[str, Any], kind: type[T], path: Path) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise LessonError(f"{path.parent.name}/{path.name} is not a lesson.", str(error)) from error


def _texts(path: Path) -> dict[str, StepText]:
    try:
        body = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError(f"{path.name} cannot be read.", f"{path}: {error}") from error
    steps = re.split(r"^## +(\S+) *$", _after_front_matter(body), flags=re.M)
    return {name: _parts(text) for name, text in zip(steps[1::2], steps[2::2], strict=True)}


def _after_front_matter(body: str) -> str:
    return body.split("\n---\n", 1)[1] if body.startswith("---\n") and "\n---\n" in body else body


def _parts(text: str) -> StepText:
    pieces = re.split(r"^### +(orient|explain|more) *$", text, flags=re.M)
    found = dict(zip(pieces[1::2], (piece.strip() for piece in pieces[2::2]), strict=True))
    return StepText(**found)


class Misconception(msgspec.Struct, frozen=True):
    """A wrong idea many learners hold, and the sentences that meet it."""

    claim: Text
    refutation: Text


@cache
def misconceptions() -> dict[str, Misconception]:
    """All entries of misconceptions.toml by id."""
    raw = read_toml(root() / "misconceptions.toml")
    rows = raw.get("misconception", raw)
    if isinstance(rows, list):
        rows = {row["id"]: row for row in rows}
    kept = {key: value for key, value in rows.items() if isinstance(value, dict)}
    return {key: _convert(value, Misconception, root() / "misconceptions.toml") for key, value in kept.items()}
