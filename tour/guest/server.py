"""A vhost-user server of ours for a guest: ``tour vhost-user`` as a process beside it, its events heard here."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tour.agent.serve import KEEPER
from tour.agent.session import StreamSession
from tour.agent.spawn import AgentProcess, spawn
from tour.agent.watch_door import SUFFIX
from tour.errors import AgentLost, TimedOut, TourError
from tour.trace import events as ev

START_SECONDS = 20.0
ENDING_SECONDS = 5.0
PF_EXITING = 0x4
"""Of a process that is ending (include/linux/sched.h@6.1): set before its descriptors are closed."""
FLAGS = 6
"""Where the flags stand behind the name in /proc/pid/stat (proc(5))."""


class Server:
    """``tour vhost-user --socket path`` with ``words`` behind it, by default in a network of its own.

    ``on_event`` hears what it tells, on a thread of its own; ``ended`` is set when it is gone, ``error`` then says
    why, unless it was closed. Raises AgentLost with the server's own words if it does not begin to listen.
    """

    def __init__(
        self,
        path: str,
        words: Sequence[str] = ("--netns",),
        on_event: Callable[[ev.Event], None] = lambda event: None,
    ) -> None:
        self.path = path
        self.ended = threading.Event()
        self.error: TourError | None = None
        self._on_event = on_event
        self._begun = threading.Event()
        self._keeper: subprocess.Popen[bytes] | None = None
        argv = [sys.executable, "-m", "tour.cli", "vhost-user", "--socket", path, "--json", *words]
        self.process = spawn(argv, isolate="none")
        self._session = StreamSession(_Pipe(self.process))
        self._session.start(self._hear, self._end, lambda text: None)
        self._begun.wait(START_SECONDS)
        if self.ended.is_set() or not self._begun.is_set():
            why = self.process.stderr_tail().strip()
            self.close()
            raise AgentLost("The vhost-user server did not start.", why)
        self._keeper = _keeper(path)  # not before: what lies there may be another server's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def _hear(self, event: ev.Event) -> None:
        if isinstance(event.data, ev.Hello):
            self.pid = event.data.pid
            self._begun.set()
        self._on_event(event)

    pid = 0
    """The process that serves."""

    def _end(self, error: TourError | None) -> None:
        self._remove_sockets()
        if error:
            self.error = AgentLost("The vhost-user server has ended.", error.why, "give the same command again")
        self.ended.set()
        self._begun.set()

    def lost(self) -> TourError | None:
        """Why it is gone, None while it serves. A guest may see the end of its card before we hear of the server's:
        one that is ending is waited for."""
        if not self.ended.is_set() and _ending(self.pid):
            self.ended.wait(ENDING_SECONDS)
        return self.error

    def said(self) -> str:
        """The last of what it, and the command it runs, wrote to its standard error."""
        return self.process.stderr_tail()

    def close(self) -> None:
        """End it; its socket, its network and what runs in it go with it. Safe to call again."""
        self._session.close()
        self._remove_sockets()

    def _remove_sockets(self) -> None:
        """Have the keeper remove what a server that was killed has left."""
        if self._keeper and self._keeper.stdin and not self._keeper.stdin.closed:
            self._keeper.stdin.close()
            self._keeper.wait()


def _ending(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return bool(int(stat.rpartition(")")[2].split()[FLAGS]) & PF_EXITING)


def _keeper(path: str) -> subprocess.Popen[bytes]:
    """A shell that removes the sockets at our end or when told to: the server's own dies with the server."""
    return subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, "tour-keeper", "", path, path + SUFFIX],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


class _Pipe:
    """The server's standard output as a session's transport."""

    def __init__(self, process: AgentProcess) -> None:
        self._process = process

    def send(self, data: bytes) -> None:
        """A server takes no commands here. Raises OSError if it is gone."""
        self._process.stream.sendall(data)

    def receive(self) -> bytes:
        """See ``Transport.receive``."""
        return self._process.stream.recv(65536)

    def reason(self) -> str:
        """How it ended."""
        try:
            self._process.wait(5.0)
        except (TimedOut, OSError):
            return ""
        return self._process.reason()

    def close(self) -> None:
        """End it."""
        self._process.close()
