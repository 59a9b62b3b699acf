"""A short queue of motions and the moments they lead to. Pure: time is handed in, in seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from tour.view.motion import VERB_SECONDS, Travel

Picture = TypeVar("Picture")

WHOLE_SECONDS = 4.0
"""What is queued together is over in about this time: many shots are shorter ones."""

LONGEST = 32
"""Shots waiting beyond this number are cut: a burst is seen as its end, not as a minute of film."""


@dataclass(frozen=True)
class Shot(Generic[Picture]):
    """``travels`` move over the picture before; then ``after`` is shown."""

    travels: tuple[Travel, ...]
    after: Picture


@dataclass(frozen=True)
class Frame:
    """A travel and how far it has come, 0..1."""

    travel: Travel
    progress: float


class Film(Generic[Picture]):
    """Shots in order. ``seconds`` is how long one of those queued lasts, at most ``VERB_SECONDS``."""

    def __init__(self) -> None:
        self.seconds = VERB_SECONDS
        self._shots: deque[Shot[Picture]] = deque()
        self._began = 0.0

    @property
    def running(self) -> bool:
        """Whether anything is still on its way."""
        return bool(self._shots)

    def add(self, shot: Shot[Picture], now: float) -> None:
        """Queue a shot; it starts when those before it have ended."""
        if not self._shots:
            self._began, self.seconds = now, VERB_SECONDS
        self._shots.append(shot)
        self.seconds = min(self.seconds, WHOLE_SECONDS / min(len(self._shots), LONGEST))

    def due(self, now: float) -> Picture | None:
        """The picture of the last shot that has ended by ``now``, once; None when none has."""
        after: Picture | None = None
        if len(self._shots) > LONGEST:
            after, self._began = self._drop(len(self._shots) - LONGEST), now
        while self._shots and now - self._began >= self.seconds:
            after, self._began = self._shots.popleft().after, self._began + self.seconds
        return after

    def _drop(self, count: int) -> Picture | None:
        after: Picture | None = None
        for _ in range(count):
            after = self._shots.popleft().after
        return after

    def frame(self, now: float) -> Frame | None:
        """What is moving at ``now``."""
        if not self._shots:
            return None
        share = max(0.0, (now - self._began) / self.seconds)
        travels = self._shots[0].travels
        index = min(int(share * len(travels)), len(travels) - 1)
        return Frame(travels[index], min(1.0, share * len(travels) - index))

    def skip(self, now: float) -> Picture | None:
        """End the present shot at once; returns its picture."""
        self._began = now
        return self._shots.popleft().after if self._shots else None

    @property
    def travels(self) -> tuple[Travel, ...]:
        """What moves in the present shot."""
        return self._shots[0].travels if self._shots else ()

    def cut(self) -> Picture | None:
        """Drop all that is queued; returns the picture it would have ended with."""
        after = self._shots[-1].after if self._shots else None
        self._shots.clear()
        return after
