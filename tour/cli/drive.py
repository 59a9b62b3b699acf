"""Driving a player from one thread without a screen: a queue of calls instead of an event loop."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from tour.agent.player import Player
from tour.agent.session import Item
from tour.cli.output import say
from tour.errors import AgentLost, TimedOut
from tour.i18n import local, t

SILENCE_LIMIT = 120.0


class Pump:
    """Brings what a player's sessions say to this thread, until a condition holds."""

    def __init__(self, player: Player) -> None:
        self._items: queue.Queue[Item] = queue.Queue()
        self._player = player
        player.mailbox.attach(self._items.put)

    def until(self, condition: Callable[[], bool], limit: float = SILENCE_LIMIT) -> None:
        """Let the player hear until ``condition`` holds. Raises TimedOut after ``limit`` seconds of silence."""
        deadline = time.monotonic() + limit
        while not condition():
            try:
                item = self._items.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimedOut(f"Nothing was heard from the agent for {limit:.0f} seconds.") from None
            if isinstance(item, str):
                say(local(self._player.lang, item))
            self._player.hear(item)
            deadline = time.monotonic() + limit


def wait_idle(player: Player, pump: Pump) -> None:
    """Until the player's command is done. Raises the error the agent reported."""
    pump.until(lambda: not player.busy or player.error is not None)
    if player.error is not None:
        if isinstance(player.error, AgentLost) and not player.error.fix:
            player.error.fix = t(player.lang, "cli.again")
        raise player.error
