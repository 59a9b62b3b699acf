"""Control's hold on the engine: whoever has it changes rings while the worker's thread is outside the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType


class Pause:
    """A lock, taken again and again by the same thread if it likes, whose holder knows the worker to be outside.

    ``ask`` makes the worker come out. The worker goes through :meth:`enter` and :meth:`leave`.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._moved = threading.Condition()
        self._holder = 0
        self._depth = 0
        self._inside = False

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._moved:
            while self._holder not in (0, me):
                self._moved.wait()
            self._holder = me
            self._depth += 1
            while self._inside:
                self._ask()
                self._moved.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._moved:
            self._depth -= 1
            if not self._depth:
                self._holder = 0
                self._moved.notify_all()

    def enter(self) -> None:
        """The worker goes in, once nobody holds us."""
        with self._moved:
            while self._holder:
                self._moved.wait()
            self._inside = True

    def leave(self) -> None:
        """The worker has come out."""
        with self._moved:
            self._inside = False
            self._moved.notify_all()
