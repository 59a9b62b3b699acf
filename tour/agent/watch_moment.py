"""One instant of a device that is watched: all a front end needs to draw it, and how fast things go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tour.i18n import Lang
from tour.trace.history import Point
from tour.trace.state import State, Watched

Mode = Literal["starting", "live", "paused", "back", "replay", "ended"]
SECOND = 1_000_000_000
STALE = 2_500_000_000
"""A ring of which nothing was heard so long (ns) stands still: whoever looks tells what changes."""
POINTS = 48
"""Looks that a rate is reckoned from: two seconds at 20 Hz."""


class Speeds(msgspec.Struct, frozen=True):
    """How fast a queue goes, per second over ``span`` seconds; None is what cannot be known. ``guessed`` says that
    no counters were read: chains are the steps of used.idx between looks, at least that many."""

    span: float = 0.0
    chains: float | None = None
    packets: float | None = None
    bits: float | None = None
    kicks: float | None = None
    calls: float | None = None
    calls_saved: float | None = None
    turns: float | None = None
    dropped: float | None = None
    guessed: bool = False


class Lap(msgspec.Struct, frozen=True):
    """What became of a queue from one look to a later one: chains published and returned (steps of the indices, whose
    wraps are told by the totals; without totals at least so many), and what the totals grew by."""

    t: int
    published: int
    returned: int
    packets: int | None = None
    bytes: int | None = None
    kicks: int | None = None
    calls: int | None = None
    turns: int | None = None


class WatchMoment(msgspec.Struct, frozen=True):
    """``queue`` is the one chosen; ``t`` the instant shown, ``t_first`` and ``t_edge`` (ns) the ends of what is kept;
    ``replay`` that it comes from a recording, ``playing`` that the picture moves on by itself. ``held`` are the queues
    whose worker is held, ``recording`` the file written to, ``cpu`` our own share of a core in per cent and
    ``paints`` pictures a second, ``hertz`` looks a second as they came."""

    lang: Lang
    state: State
    queue: int
    mode: Mode
    replay: bool = False
    playing: bool = True
    t: int = 0
    t_first: int = 0
    t_edge: int = 0
    held: frozenset[int] = frozenset()
    speeds: dict[int, Speeds] = {}
    laps: tuple[Lap, ...] = ()
    lap_seconds: float = 0.0
    recording: str = ""
    notice: str = ""
    cpu: float | None = None
    paints: float | None = None
    hertz: float = 0.0

    @property
    def watched(self) -> Watched:
        """What is told of the queue chosen."""
        return self.state.watched_of(self.queue)

    @property
    def queues(self) -> tuple[int, ...]:
        """The queues there are."""
        return tuple(range(len(self.state.rings)))


def speeds(points: Sequence[Point], now: int) -> Speeds:
    """How fast the queue of these looks, oldest first, goes at ``now``: over about the last second."""
    known = _unbroken(points)
    if len(known) < 2:
        return Speeds()
    last = known[-1]
    if last.rates is None:
        return _guessed(known, now)
    first = next((one for one in reversed(known[:-1]) if last.t - one.t >= SECOND), known[0])
    span = (last.t - first.t) / SECOND
    if first.rates is None or span <= 0:
        return Speeds()
    grown = {
        name: (new - old) / span
        for name in ("chains", "packets", "bytes", "kicks", "calls", "calls_saved", "turns", "dropped")
        if (new := getattr(last.rates, name)) is not None and (old := getattr(first.rates, name)) is not None
    }
    octets = grown.pop("bytes", None)
    counted = last.rates.packets is not None
    return Speeds(span, bits=None if octets is None else 8 * octets, guessed=not counted, **grown)


def _unbroken(points: Sequence[Point]) -> list[Point]:
    """The last of them that belong to one front end."""
    start = next((at for at in range(len(points) - 1, -1, -1) if not (points[at].sample or points[at].rates)), -1)
    return list(points[start + 1 :])


def _guessed(points: list[Point], now: int) -> Speeds:
    """Without totals: steps of used.idx."""
    if now - points[-1].t > STALE:
        return Speeds(chains=0.0, guessed=True)
    recent = [one for one in points if one.sample and points[-1].t - one.t <= SECOND]
    span = (recent[-1].t - recent[0].t) / SECOND if recent else 0.0
    steps = sum(_step(old, new, "used_idx") for old, new in zip(recent, recent[1:], strict=False))
    return Speeds(span, chains=steps / span, guessed=True) if span > 0 else Speeds(guessed=True)


def _step(old: Point, new: Point, name: str, near: int = 0) -> int:
    """How far an index went, modulo 2^16; of the numbers that can be, the one closest to ``near``."""
    if old.sample is None or new.sample is None:
        return 0
    step = int(getattr(new.sample, name) - getattr(old.sample, name)) & 0xFFFF
    return step + 0x10000 * max(0, round((near - step) / 0x10000))


def laps(points: Sequence[Point]) -> tuple[Lap, ...]:
    """What became of the queue from each look to the next, oldest first; nothing across a change of front ends."""
    return tuple(_lap(old, new) for old, new in zip(points, points[1:], strict=False) if _both(old) and _both(new))


def _both(point: Point) -> bool:
    return point.sample is not None or point.rates is not None


def _lap(old: Point, new: Point) -> Lap:
    a, b = old.rates, new.rates

    def grown(name: str) -> int | None:
        first, last = getattr(a, name, None), getattr(b, name, None)
        return None if first is None or last is None else int(last - first)

    near = grown("chains") or 0
    return Lap(
        new.t, _step(old, new, "avail_idx", near), _step(old, new, "used_idx", near), grown("packets"),
        grown("bytes"), grown("kicks"), grown("calls"), grown("turns"),
    )  # fmt: skip
