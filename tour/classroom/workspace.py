"""A learner's folder for one exercise: the file, what is asked, and what was tried so far, kept beside the code.

publish/
  publish.py      what the learner writes
  README.md       what is asked, and how to check it
  .tour/state.json
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tour.classroom.skeleton import skeleton
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.exercise import Exercise, find

SCHEMA = "vhost-tour/workspace/1"
FOLDER, STATE, README = ".tour", "state.json", "README.md"
STATE_MAX = 1 << 16


class WorkspaceError(UsageError):
    """A folder that is no exercise's, or cannot be read or written."""


class State(msgspec.Struct, frozen=True):
    """What is kept: which exercise, the seed of its inputs, how often it was checked, how many hints were shown,
    whether every check passed once. A newer version's fields are left alone."""

    exercise: str
    lang: Lang
    seed: int
    attempts: int = 0
    hints: int = 0
    solved: bool = False
    schema: str = SCHEMA


class Workspace:
    """An exercise's folder. Raises WorkspaceError for one that is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._place = folder / FOLDER / STATE
        self.state = self._read()
        self.exercise: Exercise = find(self.state.exercise)

    @property
    def file(self) -> Path:
        """What the learner writes."""
        return self.folder / self.exercise.file

    def source(self) -> str:
        """What stands in it; empty when it is gone. Raises WorkspaceError."""
        try:
            return self.file.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"{self.file.name} cannot be read.", str(error)) from error

    def note(self, **changes: object) -> None:
        """Keep the state with these changes."""
        self.state = replace(self.state, **changes)
        _write(self._place, msgspec.json.format(msgspec.json.encode(self.state)) + b"\n")

    def reset(self) -> Path | None:
        """Begin anew; the learner's file is kept under another name, which is returned."""
        aside = None
        if self.file.exists():
            aside = next(
                path for n in range(1, 10000) if not (path := self.folder / f"{self.file.name}.~{n}~").exists()
            )
            os.replace(self.file, aside)
        _write(self.file, skeleton(self.exercise, self.state.lang).encode())
        self.note(attempts=0, hints=0, solved=False)
        return aside

    def _read(self) -> State:
        try:
            with self._place.open("rb") as file:
                return msgspec.json.decode(file.read(STATE_MAX), type=State)
        except FileNotFoundError as error:
            what = f"{self.folder} is no exercise's folder."
            raise WorkspaceError(what, "It has no .tour/state.json.", "tour exercise start NAME") from error
        except (OSError, msgspec.DecodeError) as error:
            what = f"{FOLDER}/{STATE} in {self.folder} cannot be read."
            fix = "move it away, then tour exercise start NAME in another folder and copy your file there"
            raise WorkspaceError(what, str(error), fix) from error


def start(exercise: Exercise, folder: Path, lang: Lang, from_step: int = 1) -> Workspace:
    """A new folder to work in. Raises WorkspaceError where the learner's work would be overwritten, UsageError."""
    source = skeleton(exercise, lang, from_step)
    taken = [name for name in (exercise.file, f"{FOLDER}/{STATE}", README) if (folder / name).exists()]
    if taken:
        fix = f"cd {folder} && tour exercise check, or tour exercise reset there to begin anew"
        raise WorkspaceError(f"{folder / taken[0]} is there already.", "Nothing was overwritten.", fix)
    state = State(exercise.name, lang, secrets.randbelow(1 << 31))
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        _write(folder / exercise.file, source.encode())
        _write(folder / README, _readme(exercise, lang).encode())
        _write(folder / FOLDER / STATE, msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    except OSError as error:
        raise WorkspaceError(f"{folder} cannot be written.", str(error)) from error
    return Workspace(folder)


def _readme(exercise: Exercise, lang: Lang) -> str:
    title = f"# {exercise.id} {exercise.title.get(lang)}"
    checks = "\n".join(f"- {check.title.get(lang)} ({check.points})" for check in exercise.check)
    how = t(lang, "exercise.readme", file=exercise.file, lesson=exercise.lesson)
    return f"{title}\n\n{exercise.text(lang, 'goal')}\n\n{checks}\n\n{how}\n"


def _write(path: Path, data: bytes) -> None:
    """As a whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)
