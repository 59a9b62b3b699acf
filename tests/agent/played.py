"""A lesson played through the agent by a program of its own, which waits for a line before the first step and the end.

Usage: played.py LESSON FILE. On standard output: ``ready``, then ``played``. The recording goes to FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tour.agent import client
from tour.agent.player import Player
from tour.cli.drive import Pump, wait_idle
from tour.lesson.model import load
from tour.trace.store import Writer


def main() -> None:
    """See the module's text."""
    lesson, file = sys.argv[1:]
    player = Player(load(lesson), "en", client.connect_local, "embedded")
    writer = Writer(Path(file))
    player.on_event = writer
    pump = Pump(player)
    player.open()
    wait_idle(player, pump)
    wait_for_a_line("ready")
    while not player.ended:
        player.act()
        wait_idle(player, pump)
        player.next_step()
    wait_for_a_line("played")
    player.finish()
    wait_idle(player, pump)
    player.close()
    writer.close()


def wait_for_a_line(word: str) -> None:
    """Say ``word`` and wait to be told to go on."""
    print(word, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
