"""Recordings: a JSON-lines file, one event a line, the first a Hello. Format: ``docs/trace-format.md``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tour.errors import UsageError
from tour.trace import events as ev
from tour.trace.fold import fold
from tour.trace.state import State


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

    A full disk stops the recording, not the run: ``error`` then says why, and what was written is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.error: RecordingError | None = None
        try:
            self._file: BinaryIO = open(self.partial, "wb", buffering=0)  # noqa: SIM115 - closed in close()
        except OSError as error:
            raise _cannot_write(path, error) from error

    def __call__(self, event: ev.Event) -> None:
        """Write one event."""
        if self.error is None and not isinstance(event.data, ev.Done):
            try:
                self._file.write(ev.encode(event))
            except OSError as error:
                self.error = _cannot_write(self.path, error)

    def close(self) -> None:
        """Give the file its name. Raises RecordingError when writing failed on the way."""
        self._file.close()
        if self.error is None:
            os.replace(self.partial, self.path)
            return
        keep = self.path.with_name(f"{self.path.name}.partial")
        os.replace(self.partial, keep)
        raise RecordingError(
            self.error.what,
            f"{self.error.why} What was recorded until then is in {keep}.",
            f"free some space, then: tour record 8 -o {self.path}",
        )


def _cannot_write(path: Path, error: OSError) -> RecordingError:
    reason = error.strerror or str(error)
    return RecordingError(f"The recording {path} cannot be written: {reason}.", "", "choose another place with -o FILE")


def load(path: Path) -> Recording:
    """A recording, every line checked against the fold. Raises RecordingError naming the line."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RecordingError(
            f"The recording {path} cannot be read: {error.strerror or error}.", "", "tour record 8 -o FILE makes one"
        ) from error
    cut = lines.pop() != b""
    events = tuple(_events(path, lines))
    if not events or not isinstance(events[0].data, ev.Hello):
        raise RecordingError(f"{path} is not a recording of vhost-tour: its first line is no hello.")
    return Recording(str(path), events, not cut and isinstance(events[-1].data, ev.Bye))


def _events(path: Path, lines: list[bytes]) -> Iterator[ev.Event]:
    state = State()
    for number, line in enumerate(lines, 1):
        if number == 1:
            _check_schema(path, line)
        try:
            event = ev.decode(line)
            state = fold(state, event)
        except (msgspec.MsgspecError, UsageError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingError(
                f"Line {number} of {path} is damaged.",
                f"{error}",
                "ask for the file again, or make one: tour record 8 -o FILE",
            ) from error
        yield event


class _First(msgspec.Struct):
    data: _Schema


class _Schema(msgspec.Struct):
    schema: int


def _check_schema(path: Path, line: bytes) -> None:
    try:
        schema = msgspec.json.decode(line, type=_First).data.schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path} is not a recording of vhost-tour.", str(error)) from error
    if schema > ev.SCHEMA:
        raise RecordingError(
            f"{path} was made by a newer vhost-tour (schema {schema}; this one reads up to {ev.SCHEMA}).",
            "",
            "pip install --upgrade vhost-tour",
        )
