"""How often the picture of watching is painted, and what watching costs."""

from __future__ import annotations

import time

FASTEST = 10.0
SLOWEST = 1.0
"""Pictures a second: at most, and when every core is busy."""
SHARE = 0.08
"""Of a core that painting may take when nothing else wants it."""
BUSY_SHARE = 0.02
IDLE_SHARE = 0.1
"""Cores that idle for less than this share of the time are busy."""
JUDGED = 2.0


class PaintPace:
    """Seconds from one picture to the next, from what pictures cost and whether the cores are busy."""

    def __init__(self) -> None:
        self.cpu: float | None = None
        self.paints: float | None = None
        self.wait = 1 / FASTEST
        self._cost = 0.0
        self._count = 0
        self._begin()

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._used = time.process_time()
        self._idle, self._all = ticks()
        self._count = 0

    def painted(self, seconds: float) -> None:
        """A picture was painted and took that long."""
        self._cost = max(seconds, self._cost * 0.9 + seconds * 0.1)
        self._count += 1
        if time.monotonic() - self._since >= JUDGED:
            self._judge()

    def _judge(self) -> None:
        span = time.monotonic() - self._since
        idle, every = ticks()
        self.cpu = 100 * (time.process_time() - self._used) / span
        self.paints = self._count / span
        busy = every > self._all and idle - self._idle < IDLE_SHARE * (every - self._all)
        wanted = self._cost / (BUSY_SHARE if busy else SHARE)
        self.wait = min(1 / SLOWEST, max(1 / FASTEST, wanted))
        self._begin()


def ticks() -> tuple[int, int]:
    """Ticks all cores idled (idle and iowait), and all ticks, since the machine started [proc(5), /proc/stat]; zeros
    where there is no such file."""
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            numbers = [int(word) for word in stat.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return sum(numbers[3:5]), sum(numbers)
