"""The rows of the bench: what each holds against what, and how much is wanted. The measuring is in the module named."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tour.bench.report import Lacking, Result, judge
from tour.errors import CapabilityMissing, TourError, UsageError

PACKETS, GBITS, MICROS, DESCRIPTORS = "packets/s", "Gb/s", "us", "descriptors/s"


class Pair(Protocol):
    """Ours and the peer, set up and ready: each call is one round's figure."""

    peer_name: str
    """What the peer is, with its version; empty: none."""

    def ours(self) -> float:
        """Measure ours once."""

    def peer(self) -> float:
        """Measure the peer once; never called without ``peer_name``."""

    def more(self) -> dict[str, float]:
        """Further figures of the rounds measured."""

    def close(self) -> None:
        """Take everything down."""


@dataclass(frozen=True)
class Row:
    """One row: ``at_least`` and ``aim`` are ratios ours / peer, absolute figures for a row without a peer; None: only
    told. ``where`` is ``module:class`` below ``tour.bench``. ``rounds`` is a bound of its own for slow rows, ``times``
    how many a row has for each that is asked for: what is small needs many to be seen."""

    name: str
    unit: str
    where: str
    at_least: float | None = None
    aim: float | None = None
    rounds: int | None = None
    times: int = 1


ROWS = (
    Row("tx-tap", PACKETS, "in_process:TxTap", 0.85, 1.0),
    Row("tx-tap-write", PACKETS, "in_process:TxTapWrite", 0.88),
    Row("rx-tap", PACKETS, "in_process:RxTap", 0.80),
    Row("rx-tap-uring", PACKETS, "in_process:RxTapUring", None, 0.9),
    Row("ring", DESCRIPTORS, "in_process:RingOnly", 10e6, 25e6),
    Row("latency", MICROS, "in_process:Latency"),
    Row("offload", GBITS, "in_process:Offload"),
    Row("vhost-user-tap", PACKETS, "testpmd:IntoTap", 1.4, 1.8),
    Row("vhost-user-null", PACKETS, "testpmd:IntoNull", 0.9, 1.0),
    Row("uml-out", GBITS, "uml:Out", 1.0, 2.0),
    Row("uml-in", GBITS, "uml:In", 1.0, 2.0),
    Row("sampler", PACKETS, "sampled:Sampled", 0.97, 1.0, times=4),
    Row("lab", PACKETS, "lab:Lab", 0.9, 1.2, 11),
)


def chosen(names: Iterable[str]) -> list[Row]:
    """The rows of these names in the bench's order, all for none. Raises UsageError for a name that is none."""
    wanted = list(names)
    known = {row.name for row in ROWS}
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"There is no row '{name}'.",
                f"The rows are {', '.join(row.name for row in ROWS)}.",
                "tour bench --list",
            )
    return [row for row in ROWS if not wanted or row.name in wanted]


def measure(row: Row, rounds: int, now: Callable[[], float]) -> Result:
    """Run a row: a round to warm up, then pairs in alternating order. The result says what is missing or went wrong."""
    result = Result(row.name, row.unit, at_least=row.at_least, aim=row.aim)
    began = now()
    try:
        _run(row, rounds, result)
    except TourError as error:
        result.lacking = Lacking(error.what, error.why, error.fix)
        result.failed = not isinstance(error, CapabilityMissing)
        result.ours, result.peer = [], []
    result.seconds = round(now() - began, 2)
    return judge(result)


def _run(row: Row, rounds: int, result: Result) -> None:
    module, _, name = row.where.partition(":")
    pair: Pair = getattr(importlib.import_module(f"tour.bench.{module}"), name)()
    try:
        _rounds(pair, min(rounds * row.times, row.rounds or rounds * row.times), result)
        result.peer_name, result.more = pair.peer_name, pair.more()
    finally:
        pair.close()


def _rounds(pair: Pair, rounds: int, result: Result) -> None:
    for number in range(-1, rounds):
        figures = {}
        sides = [("ours", pair.ours), ("peer", pair.peer)] if pair.peer_name else [("ours", pair.ours)]
        for side, act in sides if number % 2 == 0 else reversed(sides):
            figures[side] = act()
        if number >= 0:
            result.ours.append(figures["ours"])
            result.peer += [figures["peer"]] if pair.peer_name else []
