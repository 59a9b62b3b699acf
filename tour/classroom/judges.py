"""Judge processes at work side by side: submissions out, verdicts in, and none of them left behind.

A judge is ``python -m tour.judge``: one line when it is ready, then for each request a line with the verdict. One that
ends, says nothing for too long or says nonsense costs nobody else anything: it is ended, and another one started.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Generic, NamedTuple, TypeVar

import msgspec

from tour.errors import CapabilityMissing, TourError
from tour.lesson.verdict import Verdict

COMMAND = (sys.executable, "-P", "-m", "tour.judge")
"""Not a module of the folder it is called in: that may be full of students' files."""
ROOT = Path(__file__).resolve().parents[2]
SILENCE = 600.0
"""Seconds for one submission beyond which a judge is taken for stuck: its own limits are far below."""
START = 60.0
FAREWELL = 5.0
LINE_MAX = 32 << 20
TAIL = 2000
STARTS = 3
"""Judges in a row that may end before they are ready."""

T = TypeVar("T", bound=Hashable)


class JudgeLost(TourError):
    """No judge can be started."""


class Asked(NamedTuple):
    """One request: the exercise's name and a folder with its file."""

    exercise: str
    folder: Path
    seed: int


class Outcome(NamedTuple):
    """What came of it: a verdict, or why there is none."""

    verdict: Verdict | None
    failed: str = ""


class _Fault(msgspec.Struct):
    what: str
    why: str = ""
    fix: str = ""
    exit_code: int = 4


class _Line(msgspec.Struct):
    """A line that is no verdict."""

    ready: bool = False
    error: _Fault | None = None
    layers: list[str] = []


class Judge(Generic[T]):
    """One process, and the task it is at."""

    def __init__(self, command: Sequence[str]) -> None:
        self.task: T | None = None
        self.asked: Asked | None = None
        self.ready = False
        self.deadline = time.monotonic() + START
        self.process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True, env=_environment(),
        )  # fmt: skip
        self._buffer = b""
        self._tail = b""
        for stream in (self.out, self.err):
            os.set_blocking(stream.fileno(), False)

    @property
    def out(self) -> IO[bytes]:
        """Its answers."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def err(self) -> IO[bytes]:
        """Its last words."""
        assert self.process.stderr is not None
        return self.process.stderr

    def ask(self, task: T, asked: Asked, seconds: float) -> None:
        """Hand it a submission. A judge that is gone is noticed when it is read."""
        assert self.process.stdin is not None
        self.task, self.asked = task, asked
        self.deadline = time.monotonic() + seconds
        line = msgspec.json.encode({"exercise": asked.exercise, "folder": str(asked.folder), "seed": asked.seed})
        with contextlib.suppress(OSError):
            self.process.stdin.write(line + b"\n")

    def lines(self) -> tuple[list[bytes], bool]:
        """Whole lines that have come, and whether it is at its end."""
        data = self.out.read(1 << 20)
        if data is None:
            return [], False
        *whole, self._buffer = (self._buffer + data).split(b"\n")
        return whole, not data or len(self._buffer) > LINE_MAX

    def listen(self) -> bool:
        """Keep the end of what it writes to standard error; whether that is still open."""
        data = self.err.read(65536)
        self._tail = (self._tail + (data or b""))[-TAIL:]
        return data != b""

    def bid(self) -> None:
        """Bid it end: an idle one by closing its input, a busy one at once."""
        for stream in (self.process.stdin, self.out):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        if self.task is not None or not self.ready:
            self.process.send_signal(signal.SIGINT)

    def end(self) -> str:
        """Wait until it is gone, kill it if that takes too long; how it was."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(FAREWELL)
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError, ValueError):
            self.listen()
        self.err.close()
        return self._last_words()

    def _last_words(self) -> str:
        """The last line it wrote, and how it ended."""
        said = self._tail.decode("utf-8", "replace").strip().splitlines()[-1:]
        code = self.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return ": ".join([how, *said])


class Judges(Generic[T]):
    """``jobs`` judges for any number of tasks. A context manager: at its end every process of it is gone."""

    def __init__(self, jobs: int, isolation: str, command: Sequence[str] = COMMAND, seconds: float = SILENCE) -> None:
        self._jobs = jobs
        self._command = [*command, "--isolation", isolation]
        self._seconds = seconds
        self._all: list[Judge[T]] = []
        self._again: deque[tuple[T, Asked]] = deque()
        self._tried: set[T] = set()
        self._stillborn = 0
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Judges[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for judge in self._all:
            judge.bid()
        for judge in self._all:
            judge.end()

    def run(self, tasks: Iterator[tuple[T, Asked]]) -> Iterator[tuple[T, Outcome]]:
        """Each task's outcome, in the order they come. ``tasks`` is asked for the next one when a judge is free.

        Raises CapabilityMissing where submissions cannot be judged here, JudgeLost if no judge can be started.
        """
        ended: deque[tuple[T, Outcome]] = deque()
        more = True
        while True:
            while more and (idle := self._idle()) is not None:
                more = self._next(idle, tasks)
            yield from ended
            ended.clear()
            if not more and not self._again and all(judge.task is None for judge in self._all):
                return
            for judge in self._stirred():
                ended.extend(self._hear(judge))
            more = more or bool(self._again)

    def _idle(self) -> Judge[T] | None:
        for judge in self._all:
            if judge.ready and judge.task is None:
                return judge
        waiting = [judge for judge in self._all if not judge.ready]
        if len(self._all) < self._jobs and not waiting:
            self._start()
        return None

    def _start(self) -> None:
        judge: Judge[T] = Judge(self._command)
        self._all.append(judge)
        self._selector.register(judge.out, selectors.EVENT_READ, (judge, "out"))
        self._selector.register(judge.err, selectors.EVENT_READ, (judge, "err"))

    def _next(self, judge: Judge[T], tasks: Iterator[tuple[T, Asked]]) -> bool:
        """Give it what is to be done next; whether there was anything."""
        task = self._again.popleft() if self._again else next(tasks, None)
        if task is not None:
            judge.ask(*task, self._seconds)
        return task is not None

    def _stirred(self) -> list[Judge[T]]:
        """Judges that said something, ended, or are over their time."""
        soonest = min((judge.deadline for judge in self._all if judge.task is not None or not judge.ready), default=0)
        heard: list[Judge[T]] = []
        for key, _ in self._selector.select(max(0.0, soonest - time.monotonic())):
            judge, which = key.data
            if which == "out":
                heard.append(judge)
            elif not judge.listen():
                self._selector.unregister(judge.err)
        late = [one for one in self._all if (one.task is not None or not one.ready) and time.monotonic() > one.deadline]
        return heard + [judge for judge in late if judge not in heard]

    def _hear(self, judge: Judge[T]) -> Iterator[tuple[T, Outcome]]:
        lines, ended = judge.lines()
        for line in lines:
            yield from self._told(judge, line)
        if judge in self._all and (ended or (time.monotonic() > judge.deadline and not self._resting(judge))):
            late = not ended
            yield from self._lost(judge, "it said nothing in time" if late else "")

    def _resting(self, judge: Judge[T]) -> bool:
        return judge.ready and judge.task is None

    def _told(self, judge: Judge[T], line: bytes) -> Iterator[tuple[T, Outcome]]:
        """One line: ready, an error, or the verdict that was asked for."""
        if judge not in self._all:
            return
        other = _read(line, _Line)
        if other is not None and other.error is not None:
            yield from self._fault(judge, other.error)
        elif other is not None and other.ready and not judge.ready:
            judge.ready, self._stillborn = True, 0
        else:
            yield from self._verdict(judge, line)

    def _verdict(self, judge: Judge[T], line: bytes) -> Iterator[tuple[T, Outcome]]:
        verdict, asked = _read(line, Verdict), judge.asked
        if verdict is None or asked is None or (verdict.exercise, verdict.seed) != (asked.exercise, asked.seed):
            yield from self._lost(judge, "it said what was not asked")
            return
        assert judge.task is not None
        task, judge.task, judge.asked = judge.task, None, None
        yield task, Outcome(verdict)

    def _fault(self, judge: Judge[T], fault: _Fault) -> Iterator[tuple[T, Outcome]]:
        if fault.exit_code == CapabilityMissing.exit_code:
            raise CapabilityMissing("isolation", fault.what, fault.why, fault.fix)
        yield from self._lost(judge, fault.what)

    def _lost(self, judge: Judge[T], why: str) -> Iterator[tuple[T, Outcome]]:
        """Put a judge away. What it was at is tried once more, then given up."""
        task, asked, ready = judge.task, judge.asked, judge.ready
        how = self._leave(judge)
        if task is None or asked is None:
            self._stillborn += not ready
            if self._stillborn >= STARTS:
                raise JudgeLost("No judge can be started.", f"Its last words: {why or how}.", "tour doctor")
        elif task in self._tried:
            yield task, Outcome(None, why or how)
        else:
            self._tried.add(task)
            self._again.append((task, asked))

    def _leave(self, judge: Judge[T]) -> str:
        self._all.remove(judge)
        for stream in (judge.out, judge.err):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(stream)
        judge.bid()
        return judge.end()


def _environment() -> dict[str, str]:
    """Ours; in a source tree with the place where the judge finds this very package."""
    if not (ROOT / "pyproject.toml").exists():
        return dict(os.environ)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))}


def _read(line: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError:
        return None
