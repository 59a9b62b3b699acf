"""Looking anywhere in a recording of 100,000 events: how long it takes and what it keeps in memory.

    python -m tests.bench.bench_seek [--events 100000] [--seeks 500] [--num 8 256 32768]

For each ring size: seconds to take the recording in, milliseconds of a seek to random positions (median, 95th of a
hundred, worst), of the stops around it, of the memory image a fork needs, and MiB kept beyond the events themselves.
Exit code 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import tracemalloc
from collections.abc import Callable

from tests.trace.test_timeline import long_run
from tour.trace.timeline import Timeline

MOST_SECONDS_SEEK = 0.100
MOST_MIB = 200


def milliseconds(call: Callable[[int], object], positions: list[int]) -> list[float]:
    """How long ``call`` takes at each position, shortest first."""
    times = []
    for position in positions:
        began = time.perf_counter()
        call(position)
        times.append(1000 * (time.perf_counter() - began))
    return sorted(times)


def told(times: list[float]) -> str:
    """Median, 95th percentile and worst."""
    return f"median {times[len(times) // 2]:.2f}, p95 {times[len(times) * 95 // 100]:.2f}, worst {times[-1]:.2f} ms"


def kept(events: int, num: int) -> float:
    """MiB that a timeline keeps beyond its events."""
    run = long_run(num, events)
    tracemalloc.start()
    timeline = Timeline(run)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / (1 << 20) if timeline.events else 0.0


def measure(events: int, seeks: int, num: int) -> tuple[float, float]:
    """Print the figures of one ring size; returns the worst seek in seconds and the MiB kept."""
    run = long_run(num, events)
    began = time.perf_counter()
    timeline = Timeline(run)
    taken = time.perf_counter() - began
    positions = [random.randrange(events) for _ in range(seeks)]
    sought = milliseconds(timeline.at, positions)
    stopped = milliseconds(lambda at: (timeline.previous_stop(at), timeline.next_stop(at)), positions)
    imaged = milliseconds(timeline.image, positions[:10])
    size = kept(events, num)
    print(f"{events} events, {num} slots: taken in {taken:.1f} s, {size:.0f} MiB kept beyond the events")
    print(f"  seek   {told(sought)}\n  stops  {told(stopped)}\n  image  {told(imaged)}", flush=True)
    return sought[-1] / 1000, size


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seeks", type=int, default=500)
    parser.add_argument("--num", type=int, nargs="*", default=[8, 256, 32768])
    args = parser.parse_args()
    random.seed(1)
    results = [measure(args.events, args.seeks, num) for num in args.num]
    return int(any(worst > MOST_SECONDS_SEEK or size > MOST_MIB for worst, size in results))


if __name__ == "__main__":
    sys.exit(main())
