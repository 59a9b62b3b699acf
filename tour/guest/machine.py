"""A running guest: what it says, the commands it is given, its end.

It runs below a process 1 of its own, without the system's network: whatever kills us, or that, leaves nothing of it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tour.agent.spawn import spawn
from tour.errors import AgentLost, TimedOut
from tour.guest.initramfs import MARKER, line
from tour.guest.shape import Boot

BLOCK = 65536
HEARTBEAT = 0.5
LAST_WORDS = 8

Progress = Callable[[float, str], None]
"""Seconds since the start, and the stage reached: ``start``, ``init``, ``up``."""


def silent(seconds: float, stage: str) -> None:
    """Progress that nobody wants to hear of."""


@dataclass(frozen=True)
class Done:
    """How a command in a guest ended, and what it wrote."""

    code: int
    text: str


class Guest:
    """A guest that boots. ``stages`` are the seconds from its start to ``init``, ``up`` (it has an address) and
    ``ready`` (it takes commands); ``pid`` is its first process, as we see it. ``progress`` hears of its boot;
    ``alarm`` is called twice a second while it is waited for, and when a command has ended; it may raise. ``on_line``
    hears each line that a command writes, when it does.

    Raises CapabilityMissing("namespaces"), AgentLost if it cannot be started.
    """

    def __init__(self, boot: Boot, progress: Progress = silent, alarm: Callable[[], None] = lambda: None) -> None:
        self.started = time.monotonic()
        self.stages: dict[str, float] = {}
        self._boot = boot
        self._progress = progress
        self._alarm = alarm
        self.on_line: Callable[[str], None] = lambda said: None
        self._unread = b""
        self._said: list[str] = []
        self._code: int | None = None
        self._last_heard = self.started
        self.process = spawn(boot.argv, env={**os.environ, **boot.environ}, isolate="full")
        self.pid = self.process.init_pid
        self.stream = self.process.stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def come_up(self, stage: str = "ready", seconds: float = 120.0) -> None:
        """Wait until it has reached ``stage``. Raises AgentLost when it ends, TimedOut when it falls silent."""
        end = time.monotonic() + seconds
        while stage not in self.stages:
            self._await(min(end, self._last_heard + self._boot.quiet), "The guest did not come up.")

    def start(self, command: str) -> None:
        """Have a shell in it run ``command``. Raises UsageError, AgentLost."""
        self._said.clear()
        self._code = None
        try:
            self.stream.sendall(line(command))
        except OSError as error:
            raise self.lost() from error

    def finish(self, seconds: float) -> Done:
        """How the command that was started ended. Raises TimedOut, AgentLost, and what ``alarm`` does."""
        end = time.monotonic() + seconds
        while self._code is None:
            self._await(end, f"The guest's command took longer than {seconds:g} s.")
        self._alarm()  # what the command talked to may have ended first
        return Done(self._code, "\n".join(self._said) + "\n" * bool(self._said))

    def run(self, command: str, seconds: float = 30.0) -> Done:
        """Run ``command`` in it. Raises UsageError, TimedOut, AgentLost."""
        self.start(command)
        return self.finish(seconds)

    def unread(self) -> bytes:
        """What it said since it came up, for whoever takes its console over. Its stream then blocks."""
        self.stream.settimeout(None)
        said = "".join(f"{each}\n" for each in self._said).encode() + self._unread
        self._said, self._unread = [], b""
        return said

    def lost(self) -> AgentLost:
        """The error of a guest that has ended by itself."""
        try:
            self.process.wait(5.0)
        except TimedOut:
            return AgentLost("The guest hung up.", self._last_words())
        return AgentLost("The guest has ended.", f"{self.process.reason()}{self._last_words()}")

    def close(self) -> None:
        """Switch it off; nothing of it is left. Safe to call again."""
        self.process.close()

    # --- its console ---

    def _await(self, end: float, what: str) -> None:
        """Take in what it says next. Raises TimedOut(``what``) after ``end``, AgentLost."""
        self._alarm()
        now = time.monotonic()
        if now >= end:
            raise TimedOut(what, self._last_words())
        self.stream.settimeout(min(HEARTBEAT, end - now))
        try:
            data = self.stream.recv(BLOCK)
        except TimeoutError:
            self._tell()
            return
        except OSError:
            data = b""
        if not data:
            raise self.lost()
        self._last_heard = time.monotonic()
        *lines, self._unread = (self._unread + data).split(b"\n")
        for each in lines:
            self._hear(each.decode(errors="replace").rstrip("\r"))

    def _hear(self, said: str) -> None:
        before, found, words = said.partition(MARKER)
        if not found or not re.match("(init|up|ready|exit|fail)( |$)", words):
            self._note(said)
            return
        if before:
            self._note(before)
        stage, _, rest = words.partition(" ")
        if stage == "fail":
            raise AgentLost("The guest gave up.", f"It says: {rest}.")
        if stage == "exit":
            self._code = int(rest)
        else:
            self.stages[stage] = time.monotonic() - self.started
            self._said.clear()
            self._tell()

    def _note(self, said: str) -> None:
        self._said.append(said)
        self.on_line(said)

    def _tell(self) -> None:
        if "ready" not in self.stages:
            self._progress(time.monotonic() - self.started, next(reversed(self.stages), "start"))

    def _last_words(self) -> str:
        said = "\n".join([*self._said, self._unread.decode(errors="replace")])
        last = [each for each in (said.strip() or self.process.stderr_tail()).splitlines() if each.strip()]
        return "\nIts last words:\n" + "\n".join(last[-LAST_WORDS:]) if last else ""
