"""A session whose agent has yet to be brought up, on a thread of its own, so that a front end stays alive meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tour.agent import protocol
from tour.agent.session import OnEnd, OnEvent, OnProgress, StreamSession, Transport
from tour.errors import AgentLost, TourError

Make = Callable[[OnProgress], Transport]
"""Brings an agent up and tells meanwhile what it does. Raises TourError."""


class LateSession:
    """Commands said while ``make`` still works wait. ``host`` is the machine the agent runs on, '' for this one."""

    kind = "live"

    def __init__(self, make: Make, host: str = "") -> None:
        self.host = host
        self._make = make
        self._inner: StreamSession | None = None
        self._waiting: list[protocol.AnyCommand] = []
        self._closed = False
        self._lock = threading.Lock()

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Bring the agent up, then listen, on one thread that lives as long as the agent."""
        threading.Thread(target=self._run, args=(on_event, on_end, on_progress), name="late", daemon=True).start()

    def _run(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        try:
            inner = StreamSession(self._make(on_progress))
        except TourError as error:
            on_end(error)
            return
        with self._lock:
            self._inner = inner
            waiting, self._waiting = self._waiting, []
        if self._closed:
            inner.close()
            return
        try:
            for command in waiting:
                inner.send(command)
        except AgentLost as error:
            on_end(error)
            return
        inner.read(on_event, on_end)

    def send(self, command: protocol.AnyCommand) -> None:
        """Say a command, now or once the agent is there. Raises AgentLost."""
        with self._lock:
            if self._inner is None:
                self._waiting.append(command)
                return
        self._inner.send(command)

    def close(self) -> None:
        """End the agent; one that is still being brought up ends by itself."""
        self._closed = True
        with self._lock:
            inner = self._inner
        if inner is not None:
            inner.close()
