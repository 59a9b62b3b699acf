"""A lesson before a room: letters, the answer held until Enter, a presenter's keys, no progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import Driven
from tests.tui.scripted import ScriptedPlayer
from tour.agent import client
from tour.agent.player import Player
from tour.cli.journey import Journey
from tour.cli.options import StartOptions, Where
from tour.i18n import Lang
from tour.lesson.course import Place
from tour.lesson.model import load
from tour.tui.app import TourApp
from tour.tui.options import Options

ROOM = Options(motion=False, lecture=True)


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_answer_is_held_until_enter(lang: Lang) -> None:
    player = ScriptedPlayer(lang)
    app = TourApp(player, ROOM)
    async with app.run_test(size=(160, 48)) as pilot:
        driven = Driven(pilot, app)
        choices = driven.stage.moment.prediction
        assert choices and f"A {choices.choices[0].text}" in driven.text and "1 desc" not in driven.text
        await driven.press("c")
        assert f"> C {choices.choices[2].text}" in driven.text
        await driven.press("D")
        assert f"> D {choices.choices[3].text}" in driven.text and driven.phase == "predict"
        await driven.press("b")
        assert not [call for call in player.calls if call.startswith("answer")]
        await driven.press("pagedown")
        assert player.calls[-1] == "answer avail_idx" and driven.phase == "observe"


async def test_without_a_choice_enter_goes_on() -> None:
    player = ScriptedPlayer("en")
    app = TourApp(player, ROOM)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        assert player.calls[-1] == "enter"


async def test_d_opens_the_drawer_where_nothing_is_asked() -> None:
    lesson = load("8")
    player = Player(lesson, "en", lambda _: client.connect_replay(lesson.recording_path()), "replay")
    app = TourApp(player, ROOM)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            driven = Driven(pilot, app)
            await driven.until(lambda: bool(len(player.timeline)) and not player.busy)
            await driven.press("d")
            assert driven.page.card is not None and driven.page.card.id == "more"
    finally:
        player.close()


async def test_one_column_at_any_size() -> None:
    app = TourApp(ScriptedPlayer("en"), ROOM)
    async with app.run_test(size=(160, 48)) as pilot:
        assert "[TX]" in Driven(pilot, app).text


async def test_letters_are_nothing_to_a_learner_alone() -> None:
    player = ScriptedPlayer("en")
    app = TourApp(player, Options(motion=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "b", "c")
        assert not [call for call in player.calls if call.startswith("answer")]


@pytest.mark.parametrize("lecture", [True, False])
def test_no_progress_is_written(lecture: bool, tmp_path: Path) -> None:
    journey = Journey(StartOptions("8", Where("replay"), "en", state_dir=str(tmp_path), lecture=lecture))
    player = journey.player(Place("8"), "en")
    said: list[object] = []
    player.listen(said.append)
    while player.busy or not len(player.timeline):
        for item in [said.pop(0) for _ in range(len(said))]:
            player.hear(item)  # type: ignore[arg-type]
    for _ in range(4):
        player.enter()
        while player.busy:
            for item in [said.pop(0) for _ in range(len(said))]:
                player.hear(item)  # type: ignore[arg-type]
    player.close()
    journey.close()
    assert bool(list(tmp_path.iterdir())) is not lecture
