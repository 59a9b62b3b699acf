"""Time to the first complete frame, of a lesson and of the map, against a bare Textual application; and from a key to
its painted frame.

    python -m tests.bench.bench_tui [--pairs 15] [--keys 120] [--command "tour start 8 --device replay"] [--mark TEXT]

Whole processes on a pseudo-terminal, taken in turn (bare, ours, bare, ours ...). The ratio is that of the medians;
its interval is a bootstrap over pairs. Exit code 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import bare
from tests.bench.terminal import Terminal, plain
from tour.lesson.progress import Keeper, LessonProgress

MOST_TIMES_BARE = 2.0
MOST_SECONDS_KEY = 0.050
LATENCY_SIZE = (160, 48)
KEYS = (b"\x1b[D", b"?", b"?", b"\x1b[D", b"\x1b[C", b"t", b"\x1b[C", b"L", b"t", b"f", b"L", b"t", b"d", b"t")
"""Keys that each change the picture: looking back and forward, cards, themes, the language."""

HOME_MARK = "what this machine can do"
"""Words on the map."""

Pair = tuple[float, float]


def first_frame(command: list[str], mark: str, size: tuple[int, int]) -> float:
    """Seconds from starting the process to the frame that contains ``mark``."""
    terminal = Terminal(command, *size)
    try:
        return terminal.until(lambda seen: mark in plain(seen)) - terminal.began
    finally:
        terminal.close()


def pairs_of(command: list[str], mark: str, count: int, size: tuple[int, int]) -> list[Pair]:
    """(bare, ours) seconds, taken in turn; one pair before to warm the disk's cache."""
    plainest = [sys.executable, "-m", "tests.bench.bare"]
    taken = [(first_frame(plainest, bare.MARK, size), first_frame(command, mark, size)) for _ in range(count + 1)]
    return taken[1:]


def latencies(command: list[str], mark: str, count: int) -> list[float]:
    """Seconds from each of ``count`` keys to its painted frame."""
    terminal = Terminal(command, *LATENCY_SIZE)
    try:
        terminal.until(lambda seen: mark in plain(seen))
        terminal.quiet(1.0)
        times = []
        for number in range(count):
            times.append(terminal.press(KEYS[number % len(KEYS)]))
            terminal.quiet(0.03)
        return times
    finally:
        terminal.close()


def interval(sample: Sequence[Pair] | Sequence[float], of: Callable[[list[object]], float], rounds: int = 2000) -> Pair:
    """The middle 95 % of ``of`` over resamples; the seed is fixed, so equal data give equal intervals."""
    dice = random.Random(8)
    values = sorted(of(dice.choices(list(sample), k=len(sample))) for _ in range(rounds))
    return values[int(0.025 * rounds)], values[int(0.975 * rounds)]


def ratio(pairs: Sequence[Pair]) -> float:
    """Median of ours over median of bare."""
    return statistics.median(ours for _, ours in pairs) / statistics.median(plainest for plainest, _ in pairs)


def p95(times: Sequence[float]) -> float:
    """The 95th percentile, nearest rank."""
    ranked = sorted(times)
    return ranked[max(0, -(-95 * len(ranked) // 100) - 1)]


@contextmanager
def begun() -> Iterator[str]:
    """A state folder in which something was done: there ``start`` shows the map."""
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(Path(folder))
        keeper.remember("8", LessonProgress(["frame"], "describe", "2026-01-01T00:00:00Z"))
        keeper.write()
        yield folder


def quick(name: str, command: list[str], mark: str, count: int) -> bool:
    """Measure and print first frames at both sizes; whether all are within the bound."""
    good = True
    for size in ((80, 24), LATENCY_SIZE):
        pairs = pairs_of(command, mark, count, size)
        low, high = interval(pairs, ratio)  # type: ignore[arg-type]
        base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name} {size[0]}x{size[1]}: bare {base:.3f} s, ours {ours:.3f} s, "
              f"ratio {ratio(pairs):.2f} [{low:.2f}, {high:.2f}], {len(pairs)} pairs")  # fmt: skip
        good &= ratio(pairs) <= MOST_TIMES_BARE
    return good


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--keys", type=int, default=120)
    parser.add_argument("--command", default=f"{sys.executable} -m tour.cli start 8 --lang en --device replay")
    parser.add_argument("--mark", default="YOUR TURN")
    options = parser.parse_args()
    command = shlex.split(options.command)
    with begun() as folder:
        start = [sys.executable, "-m", "tour.cli", "start", "--lang", "en", "--state-dir", folder]
        good = all([
            quick("first frame", command, options.mark, options.pairs),
            quick("the map's first frame", start, HOME_MARK, options.pairs),
        ])  # fmt: skip
    times = latencies(command, options.mark, options.keys)
    low, high = interval(times, p95)  # type: ignore[arg-type]
    print(f"key to frame {LATENCY_SIZE[0]}x{LATENCY_SIZE[1]}: median {statistics.median(times) * 1000:.1f} ms, "
          f"p95 {p95(times) * 1000:.1f} [{low * 1000:.1f}, {high * 1000:.1f}] ms, {len(times)} keys")  # fmt: skip
    return 0 if good and p95(times) < MOST_SECONDS_KEY else 1


if __name__ == "__main__":
    sys.exit(main())
