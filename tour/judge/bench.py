"""What a check works with: memory and rings of its own, random inputs, the student's functions, and its verdict."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from msgspec.structs import replace

from tour import __version__
from tour.judge.ops import Broken, CallHandle, Handle, MemoryHandle, Op, RingHandle
from tour.judge.talk import Runner, Talk
from tour.memory.guest import GuestMemory
from tour.trace.events import PROTOCOL, SCHEMA, Actor, Event, Hello, Private, Region, RingPlace
from tour.trace.recorder import Recorder
from tour.virtqueue.layout import end, plan
from tour.virtqueue.ring import Ring

T = TypeVar("T")
REGIONS = ((0, 1 << 18), (1 << 20, 1 << 19))
"""Two regions of guest memory and a hole between."""
SIZES = (4, 8, 16, 32)


class Bench:
    """One check's ground. ``random`` is seeded by the run's seed and the check's name; ``events`` is what happened,
    the student's lines as where it happened; ``talk`` holds the log of operations."""

    def __init__(self, runner: Runner, seed: str, file: str, source: str, seconds: float, stack: ExitStack) -> None:
        self.random = random.Random(seed)  # noqa: S311 - inputs, not secrets
        self.talk = Talk()
        self.events: list[Event] = []
        self.recorder = Recorder(self._keep)
        self.memory = stack.enter_context(GuestMemory(REGIONS))
        self.stack = stack
        self.answers: list[object] = []
        self.ends: list[int] = []
        """How many events there were when each call was over."""
        self._runner = runner
        self._file, self._lines, self._seconds = file, source.splitlines(), seconds
        self._student: Actor | None = None
        self._calling = False
        self._handed: list[RingHandle] = []
        self._next = [gpa for gpa, _ in REGIONS]
        self._hello()

    # --- the ground ---

    def pick(self, choices: Sequence[T]) -> T:
        """One of them, by the seed."""
        return self.random.choice(choices)

    def base(self) -> int:
        """A freely running index to begin at: sometimes 0, sometimes shortly before it wraps at 65536."""
        return self.pick([0, self.random.randrange(1, 60000), self.random.randrange(65530, 65536)])

    def room(self, size: int, align: int = 16, region: int = 0) -> int:
        """A guest address with ``size`` bytes in that region that nobody has been given yet. Raises ValueError."""
        gpa, length = REGIONS[region]
        at = -(-self._next[region] // align) * align
        if at + size > gpa + length:
            raise ValueError("the bench's memory is used up")
        self._next[region] = at + size
        return at

    def ring(self, num: int | None = None, index: int = 1, base: int = 0) -> Ring:
        """A fresh ring of ``num`` slots (one of SIZES by the seed), both indices at ``base``, told to the recorder."""
        num = num or self.pick(SIZES)
        layout = plan(num, self.room(0, 4096))
        self.room(end(layout) - layout.desc)
        ring = Ring(self.memory, layout, index)
        place = RingPlace(index, num, layout.desc, layout.avail, layout.used)
        self.recorder.emit(place, actor="control")
        ring.recorder = self.recorder
        if base:
            ring.write_base(base)
            for name in ("avail_shadow", "last_avail_idx", "used_shadow", "last_used_idx"):
                self.recorder.emit(Private(index, name, 0, base), actor="control")
        return ring

    # --- the student's side ---

    def play(self, actor: Actor) -> None:
        """Whose part the student's code plays: events of that actor bear its lines."""
        self._student = actor

    def handle(self, ring: Ring, name: str = "ring", buffered: bool = False) -> RingHandle:
        """The ring as it is handed to the student; ``buffered`` with a store buffer."""
        self._handed.append(RingHandle(name, ring, buffered))
        return self._handed[-1]

    def memory_handle(self) -> MemoryHandle:
        """Guest memory as it is handed to the student."""
        return MemoryHandle("memory", self.memory)

    def doorbell(self, name: str, ring_it: Callable[[], object] = lambda: None) -> CallHandle:
        """Something to call without arguments: a kick or a call."""

        def rung() -> None:
            ring_it()

        return CallHandle(name, rung)

    def call(self, name: str, *args: Any) -> Any:
        """Call the student's function; what it returned. Raises talk.Raised, talk.Gone, and the first Broken of a hook
        once the call is over."""
        self._calling = True
        try:
            value = self._runner.call(self.talk, name, args, self._seconds)
        finally:
            self._calling = False
            for handed in self._handed:
                handed.let_out()
            self.ends.append(len(self.events))
        if self.talk.broken is not None:
            raise self.talk.broken
        self.answers.append(value)
        return value

    def done(self, method: str, on: str = "") -> list[Op]:
        """The student's operations of that name, in order."""
        return [op for op in self.talk.log if op.method == method and on in ("", op.on)]

    def rung(self, name: str) -> int:
        """How often the doorbell ``name`` was rung."""
        return len(self.done("__call__", name))

    # --- the verdict ---

    def equal(self, field: str, expected: object, found: object) -> None:
        """Raises Broken unless both are the same."""
        if expected != found or type(expected) is bool and type(found) is not bool:
            raise Broken(field, expected, found)

    def hold(self, holds: bool, field: str, expected: object, found: object) -> None:
        """Raises Broken with these words unless it holds."""
        if not holds:
            raise Broken(field, expected, found)

    def _hello(self) -> None:
        hello = Hello(PROTOCOL, SCHEMA, __version__, "judge", "", "none", "", "")
        self.recorder.emit(hello, actor="tour")
        for at, region in enumerate(self.memory.regions):
            told = Region(at, region.gpa, region.size, region.hva, region.fd, region.offset)
            self.recorder.emit(told, actor="control")

    def _keep(self, event: Event) -> None:
        if self._calling and event.actor == self._student:
            line = self.talk.line
            code = self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""
            event = replace(event, where=f"{self._file}:{line}", code=code[:200])
        self.events.append(event)


__all__ = ["Bench", "Broken", "Handle", "Op"]
