"""The only way an event comes into being: one counter, one clock, one lock, any number of sinks."""

from __future__ import annotations

import linecache
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FrameType

from msgspec.structs import replace

from tour.trace.events import Actor, AnyPayload, Done, Event, Source

PACKAGE = Path(__file__).parent.parent
Sink = Callable[[Event], object]


class Recorder:
    """Numbers events and hands them to every sink, in order, from whichever thread acts.

    A sink that raises is dropped and remembered in ``dropped``: an observer never breaks a run.
    """

    def __init__(self, *sinks: Sink, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.sinks = list(sinks)
        self.dropped: list[tuple[Sink, Exception]] = []
        self.next_seq = 0
        self._clock = clock
        self._lock = threading.Lock()

    def emit(
        self,
        data: AnyPayload,
        *,
        actor: Actor,
        source: Source | None = None,
        inferred: bool = False,
        frame: FrameType | None = None,
        above: int | str = 0,
    ) -> Event:
        """Record ``data`` as done by ``actor``; ``source`` defaults to the actor itself ('network' and 'tour'
        default to observer and tour). ``frame`` is the Python frame of the line that did it, if it is ours, or of
        one below it: ``above`` says by how many lines, or a piece of the line that did it, the nearest above. A Done
        is no event of the run: it bears the last one's number."""
        where, code = source_line(frame, above) if frame else ("", "")
        with self._lock:
            number = self.next_seq - isinstance(data, Done)
            event = Event(number, self._clock(), actor, source or _SOURCE[actor], data, inferred, where, code)
            self.next_seq = number + 1
            for sink in list(self.sinks):
                self._feed(sink, event)
        return event

    def adopt(self, event: Event) -> None:
        """Take over an event of another recorder, with a number of ours."""
        with self._lock:
            event = replace(event, seq=self.next_seq)
            self.next_seq += 1
            for sink in list(self.sinks):
                self._feed(sink, event)

    def _feed(self, sink: Sink, event: Event) -> None:
        try:
            sink(event)
        except Exception as error:  # noqa: BLE001 - an observer must never break the run
            self.sinks.remove(sink)
            self.dropped.append((sink, error))


_SOURCE: dict[Actor, Source] = {
    "control": "control", "driver": "driver", "device": "device", "network": "observer", "tour": "tour",
}  # fmt: skip


def source_line(frame: FrameType, above: int | str = 0) -> tuple[str, str]:
    """``('virtqueue/driver.py:88', 'the line')`` of a frame inside this package or a lesson, or of the line ``above``
    it: so many lines, or the nearest one that holds that text."""
    path = frame.f_code.co_filename
    first = frame.f_code.co_firstlineno
    number = _nearest(path, frame.f_lineno, first, above) if isinstance(above, str) else frame.f_lineno - above
    return f"{_shown(path)}:{number}", linecache.getline(path, number).strip()


@cache
def _nearest(path: str, number: int, first: int, piece: str) -> int:
    """The line of the function above line ``number`` that holds ``piece`` and is not the one that tells of it."""
    lines = ((at, linecache.getline(path, at)) for at in range(number - 1, first - 1, -1))
    return next((at for at, line in lines if piece in line and "above=" not in line), number)


@cache
def _shown(filename: str) -> str:
    path = Path(filename)
    inside = path.is_relative_to(PACKAGE)
    return str(path.relative_to(PACKAGE) if inside else Path(path.parent.name) / path.name)


def here(depth: int = 1) -> FrameType:
    """The caller's frame, for ``emit(frame=...)``; ``depth`` counts callers upwards."""
    return sys._getframe(depth)  # noqa: SLF001
