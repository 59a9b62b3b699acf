"""The screen with a live agent: forks, and an agent killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.tui.driving import Driven
from tests.tui.test_lesson_8 import onwards, predicted
from tour.agent import client
from tour.agent.player import Player
from tour.agent.session import StreamSession
from tour.i18n import t
from tour.lesson.model import load
from tour.tui.app import TourApp
from tour.tui.options import Options

pytestmark = pytest.mark.requires("embedded", "tun")


@asynccontextmanager
async def live(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Driven, Player]]:
    """Lesson 8 on the embedded device, its set-up built."""
    player = Player(load("8"), "en", client.connect_local, "embedded")
    app = TourApp(player, Options(motion=False))
    try:
        async with app.run_test(size=size) as pilot:
            driven = Driven(pilot, app)
            await driven.until(lambda: ready(driven, player))
            yield driven, player
    finally:
        player.close()


def ready(driven: Driven, player: Player) -> bool:
    """The set-up is built and seen."""
    return len(player.timeline) > 0 and not player.busy and not driven.stage.moment.busy


def kill_agent(player: Player) -> None:
    """kill -9 of the agent's pid-namespace init, or of its helper where there is none."""
    assert isinstance(player.session, StreamSession)
    process = player.session._transport.process  # type: ignore[attr-defined]
    os.kill(process.init_pid or process.pid, signal.SIGKILL)


async def test_an_agent_killed_under_way_leaves_all_that_was_seen_and_can_be_restarted() -> None:
    async with live() as (driven, player):
        for _ in range(3):
            await predicted(driven, player)
            await onwards(driven, player)
        seen = len(player.timeline)
        kill_agent(player)
        await driven.until(lambda: player.error is not None and t("en", "tui.error.title") in driven.text)
        await driven.press("escape", "left")
        assert driven.stage.moment.badge.kind == "back" and len(player.timeline) == seen
        await driven.press("r")
        await driven.until(lambda: player.error is None and ready(driven, player))
        assert player.step.id == "publish" and driven.stage.moment.state.tx.avail_ring[0] == 0
        await predicted(driven, player)
        assert driven.stage.moment.state.tx.avail_idx == 1


async def test_the_fork_that_forgets_the_kick() -> None:
    async with live() as (driven, player):
        while player.step.id != "publish":
            await predicted(driven, player)
            await onwards(driven, player)
        await predicted(driven, player)
        await driven.press("f")
        card = driven.app.lesson.card
        assert card is not None
        await driven.press(str([option.id for option in card.options].index("forget_kick") + 1))
        await driven.until(lambda: player.vary is not None and ready(driven, player))
        assert driven.stage.moment.forked_from == "8:publish"
        await predicted(driven, player)
        await onwards(driven, player)
        await driven.press("enter", "enter")
        await driven.until(lambda: player.phase == "observe" and driven.phase == "observe")
        state = driven.stage.moment.state
        assert player.step.id == "kick" and state.packets_out == 0 and state.tx.waiting == 1
