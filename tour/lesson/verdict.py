"""What the judge says of a submission: a record for each check, and why the first broken one broke."""

from __future__ import annotations

import msgspec

from tour.lesson.model import Text

SCHEMA = "vhost-tour/verdict/1"


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a check did not pass.

    ``field`` names the ring's word, the returned value or the event in question (``avail.idx``, ``kick``,
    ``packet``), ``expected`` and ``found`` are what it should have been and was. ``kind`` says what sort it is:
    ``differs``, ``raised`` (the code raised an exception), ``todo`` (a step is not written), ``timed-out``, ``ended``
    (its process ended), ``missing`` (no file, no function), ``refused`` (the file was not taken), ``skipped`` (the
    machine lacks a capability), ``needs`` (another check must pass before).
    """

    kind: str
    field: str = ""
    expected: str = ""
    found: str = ""
    line: int = 0
    detail: str = ""


class CheckVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check. ``passed`` is None where it was not run. ``mistake`` names the known wrong solution that does exactly
    the same, ``say`` what that one does wrong. ``found`` and ``wanted`` are lines of a recording: what the code did to
    the ring, and what the reference solution does to it with the same seed."""

    id: str
    passed: bool | None
    score: float
    max_score: float
    cause: Cause | None = None
    mistake: str = ""
    say: Text | None = None
    misconception: str = ""
    hidden: bool = False
    seconds: float = 0.0
    found: list[str] = []
    wanted: list[str] = []


class Verdict(msgspec.Struct, frozen=True):
    """One submission. ``seed`` makes the same inputs again; ``layers`` is what was around the code, ``output`` the
    first of what it wrote to its standard output and error."""

    exercise: str
    seed: int
    isolation: str
    layers: list[str]
    checks: list[CheckVerdict]
    output: str = ""
    seconds: float = 0.0
    schema: str = SCHEMA

    @property
    def score(self) -> float:
        """The points it got."""
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> float:
        """The points there are, those of skipped checks not counted."""
        skipped = (check for check in self.checks if check.cause and check.cause.kind == "skipped")
        return sum(check.max_score for check in self.checks) - sum(check.max_score for check in skipped)

    @property
    def solved(self) -> bool:
        """Whether every check that could be run passed."""
        return self.score == self.max_score > 0
