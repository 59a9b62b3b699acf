"""Recordings: a JSON-lines file, one event a line, the first a Hello. Format: ``docs/trace-format.md``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from tour.errors import UsageError
from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.state import State

BYTES_MAX = 256 << 20
EVENTS_MAX = 1_000_000
"""What a recording may hold: all of it is kept in memory while it is looked at."""


class RecordingError(UsageError):
    """A recording that cannot be written or read."""


class Recording(msgspec.Struct, frozen=True):
    """A recording as read. ``whole`` is False when its last line is cut off or its Bye is missing: what there is
    can still be replayed."""

    path: str
    events: tuple[ev.Event, ...]
    whole: bool

    @property
    def hello(self) -> ev.Hello:
        """The first event's payload."""
        data = self.events[0].data
        if not isinstance(data, ev.Hello):
            raise RecordingError(f"{self.path} does not begin with a hello.")
        return data


class Writer:
    """A sink that writes each event at once, to a file beside the wanted one that takes its name when complete.

    A recording ends when it holds as much as can be replayed (``full``). A full disk stops the recording, not the run:
    ``error`` then says why, and what was written is kept. After a kill -9 it is in ``NAME.PID.partial``, which can be
    played. What is no regular file (a pipe, a terminal) is written straight to, without end.
    Raises RecordingError for a place that cannot be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: RecordingError | None = None
        self.whole = self.full = False
        self._begun = False
        self._bytes = self._events = 0
        try:
            self._straight = path.exists() and not path.is_file()
            target = path if self._straight else path.resolve()
            self._target = target
            self.partial = target if self._straight else _beside(target)
            self._file: BinaryIO = open(self.partial, "wb", buffering=0)  # noqa: SIM115 - closed in close()
        except (OSError, ValueError) as error:
            raise _cannot_write(path, error) from error

    def __call__(self, event: ev.Event) -> None:
        """Write one event."""
        if self.error is not None or self.full or isinstance(event.data, ev.Done):
            return
        self._begun = self._begun or isinstance(event.data, ev.Hello)
        large = self._bytes > BYTES_MAX - 2 * ev.LINE_MAX or self._events > EVENTS_MAX - 2
        if large and not self._straight:
            self.full, event = True, replace(event, data=ev.Bye("full"))
        try:
            data = ev.encode(event)
            self._bytes, self._events = self._bytes + len(data), self._events + 1
            while data:
                data = data[self._file.write(data) :]
        except (OSError, ValueError) as error:
            self.error = _cannot_write(self.path, error)
        self.whole = isinstance(event.data, ev.Bye)

    def close(self) -> Path | None:
        """Give the file its name. A run that did not come to its end leaves ``NAME.partial`` instead (returned), and
        an older recording of that name stays. Raises RecordingError when writing failed on the way."""
        try:
            if not self._straight and self.error is None:
                os.fsync(self._file.fileno())
            self._file.close()
            kept = self._name()
        except OSError as error:
            self.error, kept = _cannot_write(self.path, error), self.partial
        if self.error is None:
            return kept
        raise RecordingError(
            self.error.what,
            f"{self.error.why} What was recorded until then is in {kept}.".strip() if kept else "",
            f"free some space, then: tour record 8 -o {self.path}",
        )

    def _name(self) -> Path | None:
        """Where an incomplete recording lies, None for a complete one or where not even a hello was written."""
        if self._straight:
            return None
        if not self._begun:
            os.unlink(self.partial)
            return None
        if self.whole and self.error is None:
            os.replace(self.partial, self._target)
            return None
        kept = self._target.with_name(f"{self._target.name}.partial")
        os.replace(self.partial, kept)
        return kept


def _beside(target: Path) -> Path:
    """The file to write first: one of our own, yet plain to see, for a killed recorder leaves it behind."""
    return target.with_name(f"{target.name}.{os.getpid()}.partial")


def _cannot_write(path: Path, error: OSError | ValueError) -> RecordingError:
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return RecordingError(f"The recording {path} cannot be written: {reason}.", "", "choose another place with -o FILE")


def load(path: Path) -> Recording:
    """A recording, every line checked against the fold. Raises RecordingError naming the line.

    No more is read than a recording may hold, whatever the file is: an endless one is refused as well.
    """
    try:
        with path.open("rb") as file:
            reader = _Lines(path, file)
            events = tuple(_events(path, reader))
    except OSError as error:
        raise RecordingError(
            f"The recording {path} cannot be read: {error.strerror or error}.", "", "tour record 8 -o FILE makes one"
        ) from error
    if not events or not isinstance(events[0].data, ev.Hello):
        raise RecordingError(f"{path} is not a recording of vhost-tour: its first line is no hello.")
    return Recording(str(path), events, not reader.cut and isinstance(events[-1].data, ev.Bye))


class _Lines:
    """The complete lines of a file, one after another; ``cut`` says whether something without an end came last."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        taken = number = 0
        while line := self.file.readline(ev.LINE_MAX + 1):
            number += 1
            taken += len(line)
            if not line.endswith(b"\n"):
                self.cut = True
                if len(line) <= ev.LINE_MAX:
                    return
                raise _too_long(self.path, number)
            if taken > BYTES_MAX or number > EVENTS_MAX:
                raise _too_large(self.path)
            yield line[:-1]


def _not_ours(path: Path, why: str) -> RecordingError:
    return RecordingError(f"{path} is not a recording of vhost-tour.", why, "tour record 8 -o FILE makes one")


def _too_long(path: Path, number: int) -> RecordingError:
    why = f"A line has at most {ev.LINE_MAX} bytes; this one goes beyond that limit."
    return _not_ours(path, why) if number == 1 else _damaged(path, number, why)


def _damaged(path: Path, number: int, why: str) -> RecordingError:
    fix = "ask for the file again, or make one: tour record 8 -o FILE"
    return RecordingError(f"Line {number} of {path} is damaged.", why, fix)


def _too_large(path: Path) -> RecordingError:
    return RecordingError(
        f"The recording {path} is larger than can be replayed.",
        f"At most {EVENTS_MAX} events and {BYTES_MAX >> 20} MiB are kept in memory at once.",
        f"cut it: head -c {BYTES_MAX} {path} | head -n {EVENTS_MAX} > FILE",
    )


def _events(path: Path, lines: Iterable[bytes]) -> Iterator[ev.Event]:
    state = State()
    for number, line in enumerate(lines, 1):
        if number == 1:
            _check_schema(path, line)
        try:
            event = ev.decode(line)
            state = fold(state, event)
        except (msgspec.MsgspecError, UsageError) as error:
            raise _damaged(path, number, f"{error}") from error
        yield event


class _First(msgspec.Struct):
    data: _Schema


class _Schema(msgspec.Struct):
    schema: int


def _check_schema(path: Path, line: bytes) -> None:
    try:
        schema = msgspec.json.decode(line, type=_First).data.schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _not_ours(path, str(error)) from error
    if schema > ev.SCHEMA:
        raise RecordingError(
            f"{path} was made by a newer vhost-tour (schema {schema}; this one reads up to {ev.SCHEMA}).",
            "",
            "git pull && sh install.sh",
        )
