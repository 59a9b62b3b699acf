"""System calls of another process as strace(1) tells them: attached to while something happens, then let go."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tour.errors import TimedOut

ATTACH_SECONDS = 30.0
LINE = re.compile(r"^\d+ +(?P<name>\w+)\((?P<args>.*)\) += (?P<result>-?\w+)(?: (?P<errno>E[A-Z0-9]+))?")
UNFINISHED = re.compile(r"^(?P<tid>\d+) +(?P<begun>\w+\(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(?P<tid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)$")
FILE = re.compile(r"^(?P<fd>\d+)<(?P<path>[^>]*)>")


@dataclass(frozen=True)
class Traced:
    """One call: its name, its arguments as strace writes them, what it returned and its errno ('' for none)."""

    name: str
    args: tuple[str, ...]
    result: int
    errno: str = ""

    @property
    def path(self) -> str:
        """The file its first argument names, '' for none."""
        found = FILE.match(self.args[0]) if self.args else None
        return found["path"] if found else ""


def parse(text: str) -> list[Traced]:
    """The calls in strace's lines, in the order in which they ended. Lines of another kind are passed over."""
    begun: dict[str, str] = {}
    found = []
    for line in text.splitlines():
        if match := UNFINISHED.match(line):
            begun[match["tid"]] = match["begun"]
            continue
        if match := RESUMED.match(line):
            line = f"{match['tid']} {begun.pop(match['tid'], '')}{match['rest']}"
        if match := LINE.match(line):
            args = tuple(match["args"].split(", ")) if match["args"] else ()
            found.append(Traced(match["name"], args, _number(match["result"]), match["errno"] or ""))
    return found


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


class Strace:
    """strace on all threads of ``pid`` while the context lasts; ``calls`` names what it tells, '' for everything.

    Raises OSError if it cannot be started, TimedOut if it does not get hold of the process.
    """

    def __init__(self, pid: int, calls: str = "") -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="strace-")  # noqa: SIM115 - closed by __exit__
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        which = ["-e", f"trace={calls}"] if calls else []
        argv = ["strace", "-f", "-y", *which, "-o", self._file.name, "-p", str(pid)]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=self._errors)
        self._until_attached()

    def _until_attached(self) -> None:
        until = time.monotonic() + ATTACH_SECONDS
        while b"attached" not in self._said():
            if self._process.poll() is not None or time.monotonic() > until:
                self._end()
                raise TimedOut("strace could not attach.", self._said().decode(errors="replace"))
            time.sleep(0.01)

    def _said(self) -> bytes:
        self._errors.seek(0)
        return self._errors.read()

    def text(self) -> str:
        """What it has written so far."""
        return Path(self._file.name).read_text(errors="replace")

    def calls(self) -> list[Traced]:
        """What was told so far."""
        return parse(self.text())

    def counts(self) -> Counter[str]:
        """How often each system call was told."""
        return Counter(call.name for call in self.calls())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._end()

    def let_go(self) -> list[Traced]:
        """Detach; all that was told."""
        self._end()
        return self.calls()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
