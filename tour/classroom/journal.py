"""What a run of the grader has done so far: a line for each verdict, on the disk before the next one is asked for.

A run that was killed goes on where it was: what the journal has for the same submission, exercise, seed and isolation
is not judged again. A last line that was cut off is taken away; one of another version is left as it is, and unused.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Self

import msgspec

from tour import __version__
from tour.errors import UsageError
from tour.lesson.exercise import Exercise
from tour.lesson.verdict import Verdict

NAME = "journal.jsonl"
SCHEMA = "vhost-tour/journal/1"


class Key(msgspec.Struct, frozen=True):
    """What a verdict holds for: nothing of it may have changed when it is used again.

    ``submission`` and ``graders`` are SHA-256 in hexadecimal, of the file and of the exercise's own files.
    """

    student: str
    exercise: str
    submission: str
    graders: str
    seed: int
    isolation: str


class Entry(msgspec.Struct, frozen=True):
    """One line. ``failed`` says why there is no verdict; such an entry is not used again."""

    key: Key
    verdict: Verdict | None = None
    failed: str = ""
    tour: str = __version__
    schema: str = SCHEMA


class Journal:
    """The journal in a folder, held by one run at a time; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._fd = -1
        self._known: dict[Key, Entry] = {}
        self.seed: int | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._open(folder / NAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def get(self, key: Key) -> Entry | None:
        """The verdict for exactly that, None if there is none yet."""
        return self._known.get(key)

    def put(self, entry: Entry) -> None:
        """Keep it: on the disk when this returns."""
        if self._fd < 0:
            return
        data = msgspec.json.encode(entry) + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]
        os.fsync(self._fd)

    def _open(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            self._fd = -1
            raise UsageError(
                f"Another run is grading into {path.parent}.", "", "wait for it, or give another --out"
            ) from error
        os.lseek(self._fd, self._read(), os.SEEK_SET)

    def _read(self) -> int:
        """Take in every whole line; where the next one goes."""
        with open(os.dup(self._fd), "rb") as file:
            whole = file.read()
        end = whole.rfind(b"\n") + 1
        os.ftruncate(self._fd, end)
        for line in whole[:end].splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                self._take(msgspec.json.decode(line, type=Entry))
        return end

    def _take(self, entry: Entry) -> None:
        if entry.schema == SCHEMA and entry.tour == __version__ and entry.verdict is not None:
            self._known[entry.key] = entry
            self.seed = entry.key.seed


@cache
def graders(folder: str) -> str:
    """The SHA-256 of everything an exercise consists of: a changed check makes old verdicts void."""
    told = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and path.suffix in (".py", ".toml"):
            told.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()


def key_of(student: str, exercise: Exercise, source: bytes, seed: int, isolation: str) -> Key:
    """The key of one submission."""
    return Key(student, exercise.name, hashlib.sha256(source).hexdigest(), graders(exercise.folder), seed, isolation)
