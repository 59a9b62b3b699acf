"""How far a learner has come, kept in ``progress.json`` in the state folder. Nothing in it is a mark.

The file is only ever replaced as a whole, under a lock, by what it held united with what is new: two programs at once
lose nothing of each other's. What we do not know in it stays. One of a newer version is read as far as it goes and
never written; one that cannot be read as ours is put aside, never deleted.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tour.i18n import Lang, t

VERSION = 1
NAME = "progress.json"
LOCK = "progress.lock"
STATE_ENV = "VHOST_TOUR_STATE"
PATIENCE = 2.0
"""Seconds to wait for another program's lock; one that was stopped while it held it must not stop us."""


class Answered(msgspec.Struct, frozen=True):
    """A prediction that was made: the last choice, the one that came true ('' when not exactly one did), tries."""

    chosen: str
    right: str
    tries: int
    at: str = ""


class LessonProgress(msgspec.Struct, frozen=True):
    """One lesson. ``steps`` are those done, ``position`` the step to go on with (empty: none), ``completed`` when all
    had been done for the first time (it stays). ``ran`` says where steps were done, such as ``kernel 6.1.0-56-amd64``
    or ``replay ...`` (the recording's kernel), and when last. Times are UTC, as ``2026-11-22T18:15:00Z``."""

    steps: list[str] = []
    position: str = ""
    at: str = ""
    completed: str = ""
    predictions: dict[str, Answered] = {}
    ran: dict[str, str] = {}

    def merged(self, other: LessonProgress) -> LessonProgress:
        """The union of both: nothing done is lost, of two answers or positions the later one holds."""
        later = other if other.at >= self.at else self
        answers = [*self.predictions.items(), *other.predictions.items()]
        ran = [*self.ran.items(), *other.ran.items()]
        return LessonProgress(
            steps=list(dict.fromkeys([*self.steps, *other.steps])),
            position=later.position,
            at=later.at,
            completed=min(filter(None, (self.completed, other.completed)), default=""),
            predictions=dict(sorted(answers, key=lambda pair: pair[1].at)),
            ran=dict(sorted(ran, key=lambda pair: pair[1])),
        )


class Progress(msgspec.Struct, frozen=True):
    """All lessons that were ever begun, by id."""

    lessons: dict[str, LessonProgress] = {}

    def lesson(self, lesson_id: str) -> LessonProgress:
        """That lesson's, empty when it was never begun."""
        return self.lessons.get(lesson_id, LessonProgress())

    def latest(self) -> str:
        """Id of the lesson that was worked at last, empty when there is none."""
        return max(self.lessons, key=lambda one: self.lessons[one].at, default="")

    def merged(self, other: Progress) -> Progress:
        """The union of both."""
        ids = list(dict.fromkeys([*self.lessons, *other.lessons]))
        return Progress({one: self.lesson(one).merged(other.lesson(one)) for one in ids})


def state_dir(wanted: str = "") -> Path:
    """Where progress is kept: ``wanted``, else VHOST_TOUR_STATE, else the platform's state folder (XDG_STATE_HOME)."""
    chosen = wanted or os.environ.get(STATE_ENV, "")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_state_path("vhost-tour", appauthor=False)


def now() -> str:
    """The present second, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Keeper:
    """The progress of one state folder. ``problem`` names what keeps it from being written, or what was put aside:
    a key below ``progress.`` of the strings, '' when all is well."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.problem = ""
        self._detail = ""
        self._mine = Progress()

    def problem_words(self, lang: Lang) -> str:
        """The problem in a sentence, with what mends it; '' when there is none."""
        if not self.problem:
            return ""
        return t(lang, f"progress.{self.problem}", path=self.path, detail=self._detail)

    def read(self) -> Progress:
        """All that is known, from the file and of this session. Never raises."""
        return self._known(self._load())

    def remember(self, lesson_id: str, news: LessonProgress) -> None:
        """Know ``news`` from now on; ``write`` puts it into the file."""
        self._mine = self._mine.merged(Progress({lesson_id: news}))

    def write(self) -> None:
        """Unite the file with what is remembered. Never raises: what cannot be written stays remembered, and is said.

        Takes as long as the disk does.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.path.with_name(LOCK)) as alone:
                raw = self._load()
                if self.problem not in ("newer", "unreadable"):
                    _replace(self.path, msgspec.json.format(_with(raw, self._known(raw))), tidy=alone)
        except OSError as error:
            self._trouble("unwritable", error.strerror or str(error))

    def _known(self, raw: dict[str, Any]) -> Progress:
        return msgspec.convert(raw, Progress).merged(self._mine)

    def _load(self) -> dict[str, Any]:
        """The file as it is; empty when there is none, or none that can be used."""
        try:
            raw = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Any])
            version = msgspec.convert(raw.get("format_version"), int)
            if version > VERSION:
                self._trouble("newer", str(version))
            msgspec.convert(raw, Progress)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._trouble("unreadable", error.strerror or str(error))
            return {}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if self.problem != "newer":
                self._put_aside()
            return {}
        return raw

    def _put_aside(self) -> None:
        aside = self.path.with_name(f"{NAME}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
        try:
            os.rename(self.path, aside)
        except FileNotFoundError:
            return  # another program was quicker
        except OSError as error:
            self._trouble("unwritable", error.strerror or str(error))
            return
        self._trouble("damaged", aside.name)

    def _trouble(self, problem: str, detail: str) -> None:
        self.problem, self._detail = problem, detail


def _with(raw: dict[str, Any], known: Progress) -> bytes:
    """``raw`` with all we know put into it; what we do not know of stays where it is."""
    lessons = dict(raw.get("lessons", {}))
    for lesson_id, mine in known.lessons.items():
        before = lessons.get(lesson_id, {})
        lessons[lesson_id] = {**before, **msgspec.to_builtins(mine), "predictions": _answers(before, mine)}
    return msgspec.json.encode({**raw, "format_version": VERSION, "lessons": lessons})


def _answers(before: dict[str, Any], mine: LessonProgress) -> dict[str, Any]:
    """The answers of ``mine``, with what else the file says of each."""
    old = before.get("predictions", {})
    return {step: {**old.get(step, {}), **msgspec.to_builtins(one)} for step, one in mine.predictions.items()}


def _replace(path: Path, data: bytes, *, tidy: bool) -> None:
    """Put ``data`` in the file's place in one step: a reader, or a crash, sees the old or the new one. With ``tidy``
    (nobody else writes just now) what an interrupted write left behind is removed. Raises OSError."""
    path = path.resolve()
    if tidy:
        for left in path.parent.glob(f".{NAME}.*.tmp"):
            left.unlink(missing_ok=True)
    fd, name = tempfile.mkstemp(prefix=f".{NAME}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last; where folders cannot be opened, the file system sees to it."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock file at ``path``; False after ``PATIENCE`` seconds in vain, or where there are no locks.
    Raises OSError when the file cannot be made."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        yield _lock(fd)
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        except OSError:
            return False  # a file system without locks
