"""`tour start 8` on a terminal, with keys pressed until words are seen."""

from __future__ import annotations

import os
import sys

from tests.bench.terminal import FRAME_END, Terminal, plain
from tests.kill.family import Places

READY = "YOUR TURN"
ENTER, LEFT, ESCAPE = b"\r", b"\x1b[D", b"\x1b"


class Screen(Terminal):
    """The program at 160x48, working and keeping its files in ``places``."""

    def __init__(self, places: Places, *options: str, tty: bool = False) -> None:
        tour = [sys.executable, "-m", "tour.cli", "start", "8", "--lang", "en", "--no-motion", *options]
        super().__init__(["env", "-C", str(places.work), *tour], 160, 48, places.environ(), tty=tty)

    def sees(self, words: str, start: int, patience: float = 30.0) -> None:
        """Wait until ``words`` are written after byte ``start``."""
        self.until(lambda new: words in plain(new), start, patience)

    def press_until(self, key: bytes, words: str, times: int = 1) -> None:
        """Press ``key``, at most ``times``, the next time when a frame has followed, until ``words`` are written."""
        start = len(self.seen)
        for _ in range(times - 1):
            frame = len(self.seen)
            os.write(self.master, key)
            self.until(lambda new: FRAME_END in new, frame)
            self.quiet(0.05)
            if words in plain(self.seen[start:]):
                return
        os.write(self.master, key)
        self.sees(words, start)

    def descriptors(self) -> int:
        """How many descriptors the front end has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
