"""Driving a player from one thread without a screen: a queue of calls instead of an event loop."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from tour.agent.player import Player
from tour.errors import TimedOut

SILENCE_LIMIT = 120.0


class Pump:
    """``post`` for a player, and a loop that runs what was posted until a condition holds."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` later, on the thread that calls ``until``."""
        self._calls.put(call)

    def until(self, condition: Callable[[], bool], limit: float = SILENCE_LIMIT) -> None:
        """Run what is posted until ``condition`` holds. Raises TimedOut after ``limit`` seconds of silence."""
        deadline = time.monotonic() + limit
        while not condition():
            try:
                self._calls.get(timeout=max(0.0, deadline - time.monotonic()))()
            except queue.Empty:
                raise TimedOut(f"Nothing was heard from the agent for {limit:.0f} seconds.") from None
            deadline = time.monotonic() + limit


def wait_idle(player: Player, pump: Pump) -> None:
    """Until the player's command is done. Raises the error the agent reported."""
    pump.until(lambda: not player.busy or player.error is not None)
    if player.error is not None:
        raise player.error
