"""``python -m tour.judge``: one request a line on standard input, one verdict a line on standard output.

Whoever wants marks starts it as a process of its own; what happens in it, a student's code included, ends with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from tour.errors import TourError
from tour.judge.calibrate import scale
from tour.judge.jail import open_jail
from tour.judge.limits import Limits
from tour.judge.submission import Court
from tour.lesson import exercise as exercises
from tour.lesson.exercise import find

REQUEST_MAX = 1 << 16
_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct):
    """Which exercise, where the submission lies, and the seed of its inputs."""

    exercise: str
    folder: str
    seed: int


def main() -> int:
    """Judge until the input ends; 0, or the exit code of what this machine lacks."""
    words = argparse.ArgumentParser(prog="python -m tour.judge", description=__doc__)
    words.add_argument("--isolation", choices=("full", "container"), default="full")
    asked = words.parse_args()
    limits = Limits().scaled(scale())
    try:
        with open_jail(asked.isolation, limits, (exercises.root(),)) as tried:
            layers = tried.layers
    except TourError as error:
        _say(_told(error))
        return error.exit_code
    _say({"ready": True, "isolation": asked.isolation, "layers": layers})
    court = Court(asked.isolation, limits)
    serve(sys.stdin.buffer, lambda one: court.judge(find(one.exercise), Path(one.folder), one.seed))
    return 0


def serve(lines: BinaryIO, judge: Callable[[Request], object]) -> None:
    """Answer each line of ``lines`` with a verdict or an error."""
    while line := lines.readline(REQUEST_MAX):
        try:
            _say(judge(msgspec.json.decode(line, type=Request)))
        except TourError as error:
            _say(_told(error))
        except msgspec.DecodeError as error:
            _say(_told(TourError("The judge was asked something it does not understand.", str(error))))


def _told(error: TourError) -> dict[str, object]:
    told = {"what": error.what, "why": error.why, "fix": error.fix, "exit_code": error.exit_code}
    return {"error": told}


def _say(answer: object) -> None:
    sys.stdout.buffer.write(_encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
