"""What a run of the bench found: rows, their rounds, and whether each holds. Pure: reads anywhere."""

from __future__ import annotations

import math
import os
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median

import msgspec

from tour.errors import UsageError

RESAMPLES = 4000
VERSION = 1


class Interval(msgspec.Struct, frozen=True):
    """A median and the bounds between which it lies with 95 % (percentile bootstrap over rounds)."""

    median: float
    low: float
    high: float


class Lacking(msgspec.Struct, frozen=True):
    """Why a row was not measured: what, why and the command that mends it, in our English."""

    what: str
    why: str = ""
    fix: str = ""


class Result(msgspec.Struct):
    """One row. ``ours`` and ``peer`` are the rounds' figures in ``unit``, in pairs; an absolute row has no peer, and
    its ``at_least`` and ``ratio`` are then in ``unit`` too. ``more`` has further figures by name. ``lacking`` says why
    there are none: something is not installed, or (``failed``) it went wrong."""

    name: str
    unit: str
    peer_name: str = ""
    at_least: float | None = None
    aim: float | None = None
    ours: list[float] = []
    peer: list[float] = []
    ratio: Interval | None = None
    more: dict[str, float] = {}
    lacking: Lacking | None = None
    failed: bool = False
    seconds: float = 0.0

    @property
    def holds(self) -> bool | None:
        """Whether the whole interval lies at or above the minimum; None without either."""
        return None if self.ratio is None or self.at_least is None else self.ratio.low >= self.at_least


class Report(msgspec.Struct):
    """A whole run, as ``--json`` prints it and ``docs/speed.json`` keeps it."""

    version: int
    when: str
    kernel: str
    cpu: str
    cores: int
    rounds: int
    results: list[Result]
    seconds: float = 0.0


def interval(values: Sequence[float], seed: int = 1) -> Interval:
    """The median of ``values`` and its 95 % bootstrap interval; the same numbers give the same interval.

    Raises ValueError without values.
    """
    if not values:
        raise ValueError("no rounds")
    random, size = Random(seed), len(values)
    medians = sorted(median(random.choices(values, k=size)) for _ in range(RESAMPLES))
    return Interval(median(values), medians[int(RESAMPLES * 0.025)], medians[math.ceil(RESAMPLES * 0.975) - 1])


def judge(result: Result) -> Result:
    """``result`` with its interval: of the paired ratios, or of our own figures where there is no peer."""
    if result.peer:
        result.ratio = interval([a / b for a, b in zip(result.ours, result.peer, strict=True)])
    elif result.ours:
        result.ratio = interval(result.ours)
    return result


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of 1 of ``values`` lie (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def begun(rounds: int) -> Report:
    """A report with nothing in it yet but where and when."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Report(VERSION, when, _kernel(), _cpu(), os.cpu_count() or 1, rounds, [])


def _kernel() -> str:
    """Linux and its version, without what a distribution or a host adds to it."""
    found = re.match(r"[\d.]+", platform.release())
    return f"Linux {found[0].rstrip('.') if found else platform.release()}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def read(path: str) -> Report:
    """A report from a file. Raises UsageError."""
    try:
        report = msgspec.json.decode(Path(path).read_bytes(), type=Report)
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read.", error.strerror or "") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"'{path}' is no report of the bench.", str(error)) from error
    if report.version != VERSION:
        raise UsageError(f"'{path}' is no report of the bench.", f"It is of version {report.version}.")
    return report
