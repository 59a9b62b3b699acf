"""Events from the agent's reader thread to the screen's thread, many at a time, with one wake-up for a burst."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """``put`` from any thread; ``wake`` is called (there) when something waits that nobody was told about."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._lock = Lock()
        self._items: deque[Item] = deque()
        self._told = False

    def put(self, item: Item) -> None:
        """Leave ``item`` for the other side."""
        with self._lock:
            self._items.append(item)
            first, self._told = not self._told, True
        if first:
            self._wake()

    def take(self) -> list[Item]:
        """All that waits, in order."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
            self._told = False
        return items
