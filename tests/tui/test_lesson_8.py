"""Lesson 8 through the screen, with the real player: on the kernel's recording and on a live agent."""

from __future__ import annotations

import pytest

from tests.tui.driving import Driven, replayed
from tour.agent.player import Player
from tour.i18n import Lang, t


async def predicted(driven: Driven, player: Player) -> None:
    """From a step's orientation to its observation, answering 1, 2, 3 ... until it is right."""
    await driven.press("enter")
    if player.step.predict is not None:
        assert driven.phase == "predict"
        for number in range(1, len(player.choices()) + 1):
            await driven.press(str(number))
            await driven.until(lambda: not player.busy)
            if player.phase == "observe":
                break
    await driven.until(lambda: player.phase == "observe" and driven.phase == "observe")


async def onwards(driven: Driven, player: Player) -> None:
    """From observation to the next step's orientation."""
    before = player.index
    while player.index == before and not player.ended:
        await driven.press("enter")
        await driven.until(lambda: not player.busy)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_whole_lesson(size: tuple[int, int], lang: Lang) -> None:
    async with replayed("8", lang, size) as (driven, player):
        for _ in player.lesson.step:
            await predicted(driven, player)
            assert t(lang, "view.badge.replay", detail="").strip().split()[0] in driven.text
            await onwards(driven, player)
        assert player.ended and driven.stage.moment.state.packets_out == 1
        assert all(check.ok for check in driven.stage.moment.checks)


async def test_an_open_prediction_is_not_betrayed_by_motion() -> None:
    async with replayed("8", motion=True) as (driven, player):
        await driven.press("enter")
        held = len(player.timeline)
        await driven.press("1")
        await driven.until(lambda: not player.busy)
        if player.phase != "observe":
            assert driven.stage.moment.timeline.position == held and not driven.stage.moving
            assert len(player.timeline) > held


async def test_the_film_ends_at_the_player_s_moment() -> None:
    async with replayed("8", motion=True) as (driven, player):
        await predicted(driven, player)
        await driven.until(lambda: not driven.stage.moving)
        assert driven.stage.moment == player.moment()


async def test_every_event_backwards_and_forwards() -> None:
    async with replayed("8") as (driven, player):
        await predicted(driven, player)
        edge = driven.text
        for _ in range(4):
            await driven.press("left")
        assert "LOOKING BACK" in driven.text and driven.stage.moment.badge.kind == "back"
        for _ in range(4):
            await driven.press("right")
        assert driven.text == edge


async def test_a_recording_offers_only_to_go_through_it_again() -> None:
    async with replayed("8") as (driven, player):
        for _ in range(2):
            await predicted(driven, player)
            await onwards(driven, player)
        await driven.press("f")
        card = driven.app.lesson.card
        assert card is not None and [option.id for option in card.options] == ["plain"]
        await driven.press("enter")
        await driven.until(lambda: player.origin != "" and not player.busy and len(player.timeline) > 0)
        assert player.error is None and player.step.id == "entry"
        assert driven.stage.moment.forked_from == "8:entry"
        await predicted(driven, player)
        assert driven.stage.moment.state.tx.avail_ring[0] == 0


async def test_a_new_step_brings_its_panel_to_the_front() -> None:
    async with replayed("8") as (driven, player):
        await predicted(driven, player)
        await driven.press("tab")
        assert driven.app.lesson.front != driven.stage.moment.show
        await onwards(driven, player)
        assert driven.stage.ui.panel == ""
