"""Hands on, on the screen: orders in the sandbox, a step's action chosen or written, from a lesson into the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.tui.driving import Driven
from tests.tui.test_live import live, ready
from tour.agent import client
from tour.agent.sand_player import SandPlayer
from tour.tui.app import TourApp
from tour.tui.options import Options

pytestmark = pytest.mark.requires("embedded", "tun")


@asynccontextmanager
async def sandbox(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Driven, SandPlayer]]:
    player = SandPlayer("en", client.connect_local, "embedded")
    app = TourApp(player, Options(motion=False))
    try:
        async with app.run_test(size=size) as pilot:
            driven = Driven(pilot, app)
            await driven.until(lambda: ready(driven, player))
            yield driven, player
    finally:
        player.close()


async def write(driven: Driven, text: str) -> None:
    """Every letter as a key of its own."""
    names = {
        " ": "space",
        "[": "left_square_bracket",
        "]": "right_square_bracket",
        ".": "full_stop",
        "=": "equals_sign",
    }
    await driven.press(*(names.get(letter, letter) for letter in text))


async def order(driven: Driven, player: SandPlayer, line: str) -> None:
    await driven.press("enter")
    await write(driven, line)
    await driven.press("enter")
    await driven.until(lambda: not player.busy and not driven.stage.moment.busy and player.phase == "observe")


async def test_orders_are_typed_completed_and_recalled() -> None:
    async with sandbox() as (driven, player):
        await driven.press("enter")
        await write(driven, "wri")
        assert "fits: write" in driven.text
        await driven.press("tab")
        assert "order> write _" in driven.text and "It is written: write" in driven.text
        await driven.press("enter")
        await driven.until(lambda: player.phase == "observe")
        for line in ("describe", "entry", "publish", "kick"):
            await order(driven, player, line)
        assert player.timeline.edge.tx.used_idx == 1
        await driven.press("enter", "up", "up")
        assert "order> publish_" in driven.text
        await driven.press("escape")
        assert "order>" not in driven.text


async def test_what_is_no_order_stays_on_the_card_with_its_reason() -> None:
    async with sandbox() as (driven, player):
        await driven.press("enter")
        await write(driven, "frob")
        await driven.press("enter")
        assert "There is no verb 'frob'." in driven.text and len(player.lesson.step) == 1
        await driven.press(*["backspace"] * 4)
        await write(driven, "help kick")
        await driven.press("enter")
        assert "kick eventfd" in driven.text
        await write(driven, "q")
        assert driven.app.is_running, "a letter is a letter"


async def test_a_fork_of_the_sandbox_begins_at_the_order_shown() -> None:
    async with sandbox() as (driven, player):
        for line in ("write", "describe", "entry", "publish"):
            await order(driven, player, line)
        player.fork(None)
        await driven.until(lambda: ready(driven, player))
        assert [step.id for step in player.lesson.step[:3]] == ["1 write", "2 describe", "3 entry"]
        assert player.timeline.edge.tx.avail_idx == 0, "publish has not happened yet"


async def test_driving_asks_for_the_action_and_hides_its_name() -> None:
    async with live() as (driven, player):
        await driven.press("w")
        assert "drive" in driven.text
        await driven.press("enter")
        assert "1/7 ?" in driven.text and "which action now" in driven.text
        await driven.press("1")
        assert "belongs to step 6" in driven.text and driven.phase == "orient"
        await driven.press("4")
        assert driven.phase == "predict" and "Right: frame" in driven.text and "1/7 frame" in driven.text


async def test_typing_writes_it_and_escape_leaves_it_to_the_tour() -> None:
    async with live() as (driven, player):
        await driven.press("w", "w", "enter")
        await write(driven, "kick")
        await driven.press("enter")
        assert "belongs to step 5" in driven.text
        await driven.press("enter")
        assert "your hand>" in driven.text, "an empty line says nothing"
        await driven.press("escape")
        assert "1/7 frame" in driven.text
        await driven.press("enter")
        assert driven.phase == "predict"


async def test_from_a_lesson_into_the_sandbox() -> None:
    async with live() as (driven, player):
        await driven.press("f")
        options = driven.app.lesson.card.options if driven.app.lesson and driven.app.lesson.card else ()
        await driven.press(str(len(options)))
        await driven.until(lambda: isinstance(driven.app.player, SandPlayer))
        sand = driven.app.player
        assert isinstance(sand, SandPlayer)
        await driven.until(lambda: ready(driven, sand))
        assert "forked from 8:frame" in driven.text and player.session is None
        await order(driven, sand, "write")
        assert sand.timeline.edge.last is not None
        driven.app.close_player()
