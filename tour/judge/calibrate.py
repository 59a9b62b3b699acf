"""How slow this machine is: limits of time scale with it."""

from __future__ import annotations

import time

REFERENCE_SECONDS = 0.02
"""What ``work`` takes on the machine whose limits are written down; faster ones get no less time."""
ROUNDS = 3


def work() -> int:
    """Plain Python, nothing else."""
    total = 0
    for n in range(200_000):
        total = (total * 31 + n) & 0xFFFF
    return total


def scale() -> float:
    """How many times slower than the reference this machine is just now: at least 1, at most 20."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return min(20.0, max(1.0, best / REFERENCE_SECONDS))
