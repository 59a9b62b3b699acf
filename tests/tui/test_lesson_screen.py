"""The lesson screen driven by keys and clicks: what the player was asked, and what is then seen."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette

from tests.tui.driving import Driven
from tests.tui.scripted import ScriptedPlayer
from tour.errors import AgentLost
from tour.i18n import Lang, t
from tour.tui.app import TourApp
from tour.tui.options import Options
from tour.view.ui import PANELS

SIZES = [(80, 24), (160, 48)]


def started(lang: Lang = "en", *, motion: bool = False, theme: str = "dark") -> tuple[TourApp, ScriptedPlayer]:
    player = ScriptedPlayer(lang)
    return TourApp(player, Options(theme=theme, motion=motion)), player


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_step_from_question_to_observation(size: tuple[int, int], lang: Lang) -> None:
    app, player = started(lang)
    async with app.run_test(size=size) as pilot:
        driven = Driven(pilot, app)
        assert player.moment().title in driven.text
        await driven.press("2")
        assert player.calls[-1] == "answer avail_idx"
        assert driven.phase == "observe"
        assert driven.stage.moment.state.tx.avail_idx == 1
        await driven.press("enter")
        assert player.calls[-1] == "enter" and driven.phase == "predict"


async def test_a_wrong_answer_is_struck_and_the_ring_stays_as_it_was() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("3")
        asked = driven.stage.moment.prediction
        assert asked is not None and [choice.struck for choice in asked.choices] == [False, False, True, False]
        assert driven.stage.moment.state.tx.avail_idx == 0


@pytest.mark.parametrize(("key", "call"), [("left", "seek"), ("p", "seek"), ("end", "live")])
async def test_keys_that_look_elsewhere(key: str, call: str) -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        assert player.calls[-1].startswith(call)


async def test_home_is_the_first_step_then_the_set_up() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("home")
        assert player.calls[-1] == f"seek {player.timeline.marks[0].position}"
        await pilot.press("home")
        assert player.calls[-1] == "seek 0"


async def test_looking_back_and_forward_returns_to_the_edge() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("left", "left")
        assert not driven.stage.moment.timeline.at_edge
        await driven.press("right", "n")
        assert driven.stage.moment.timeline.at_edge


async def test_tab_walks_through_all_panels_and_back() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        seen = []
        for _ in PANELS:
            seen.append(app.lesson.front)
            await driven.press("tab")
        assert sorted(seen) == sorted(PANELS)
        await driven.press("shift+tab")
        assert app.lesson.front == seen[-1]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("panel", PANELS)
async def test_every_panel_explains_itself(lang: Lang, panel: str) -> None:
    app, player = started(lang)
    async with app.run_test(size=(160, 48)) as pilot:
        driven = Driven(pilot, app)
        while app.lesson.front != panel:
            await driven.press("tab")
        await driven.press("question_mark")
        assert t(lang, f"tui.help.{panel}")[:12] in driven.text
        await driven.press("escape")
        assert t(lang, "tui.help.foot") not in driven.text


async def test_the_fork_menu_lists_variants_and_takes_one() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("f")
        assert "forget the kick" in driven.text and t("en", "tui.fork.plain") in driven.text
        await driven.press("down", "enter")
        assert player.calls[-1] == "fork num_2"
        await driven.press("f", "3")
        assert player.calls[-1] == "fork None"
        await driven.press("f", "escape")
        assert t("en", "tui.fork.title") not in driven.text and player.calls[-1] == "fork None"


async def test_language_changes_all_words_at_once() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("L")
        assert player.moment().lang == "zh" and player.moment().title in driven.text


async def test_themes_go_round_and_say_so() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        names = []
        for _ in range(4):
            await pilot.press("t")
            names.append(app.lesson.theme_name)
        assert names == ["light", "contrast", "mono", "dark"]


async def test_what_moves_is_seen_and_a_key_makes_it_arrive() -> None:
    app, player = started(motion=True)
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("2")
        if driven.stage.moving:
            assert driven.stage.moment.state.tx.avail_idx == 0
            await driven.press("enter")
        assert not driven.stage.moving and player.calls[-1] == "answer avail_idx"
        assert driven.stage.moment.state.tx.avail_idx == 1


async def test_nothing_runs_while_nothing_moves() -> None:
    app, player = started(motion=True)
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("2")
        await driven.until(lambda: not driven.stage.moving and driven.stage._timer is None)
        timers = [node._timers for node in (app, app.lesson, driven.stage)]  # Textual's own may last a moment longer
        await driven.until(lambda: not [timer for of in timers for timer in of if timer._active.is_set()])


async def test_playing_goes_forward_to_the_edge_and_stops() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("left", "left", "left")
        await driven.press(*["right_square_bracket"] * 4, "space")
        assert driven.stage.ui.playing
        await driven.until(lambda: driven.stage.moment.timeline.at_edge and not driven.stage.ui.playing)


async def test_an_agent_that_dies_is_told_and_nothing_is_lost() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        length = len(player.timeline)
        player.say(AgentLost("The agent has ended.", "It was killed by signal 9."))
        await driven.until(lambda: "signal 9" in driven.text)
        assert player.error is not None
        await driven.press("escape", "left")
        assert len(player.timeline) == length and player.calls[-1].startswith("seek")
        await driven.press("r")
        assert player.calls[-1] == "restart"


async def test_too_small_is_said_and_mends_itself() -> None:
    app, player = started()
    async with app.run_test(size=(60, 20)) as pilot:
        driven = Driven(pilot, app)
        assert "80" in driven.text and "24" in driven.text
        await pilot.resize_terminal(80, 24)
        await driven.until(lambda: player.moment().title in driven.text)


async def test_copy_puts_the_calls_on_the_clipboard() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        while app.lesson.front != "syscalls":
            await driven.press("tab")
        await driven.press("y")
        assert "ioctl(7, VHOST_SET_OWNER" in app.clipboard and "store tx.desc[0]" in app.clipboard


async def test_a_click_on_a_target_does_what_the_key_does() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        target = next(hit.rect for hit in driven.stage.canvas.hits if hit.action == "panel:memory")
        await pilot.click("#stage", offset=(target.x, target.y))
        assert app.lesson.front == "memory"


async def test_leaving_ends_the_app() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
    assert app.return_code == 0 and not app.is_running


async def test_the_palette_speaks_the_learners_language() -> None:
    app, player = started("zh")
    async with app.run_test(size=(80, 24)):
        titles = [command.title for command in app.get_system_commands(app.screen)]
    assert t("zh", "tui.keys.fork") in titles and len(titles) > 15


async def test_scrolling_stops_at_the_end() -> None:
    app, player = started()
    async with app.run_test(size=(80, 24)) as pilot:
        driven = Driven(pilot, app)
        await driven.press("question_mark")
        top = driven.text
        await driven.press(*["down"] * 60)
        bottom = driven.text
        assert t("en", "tui.keys.quit") in bottom and bottom != top
        await driven.press("up")
        assert driven.text != bottom


async def test_every_key_of_the_footer_can_be_clicked() -> None:
    app, player = started()
    async with app.run_test(size=(160, 48)) as pilot:
        driven = Driven(pilot, app)

        async def click(action: str) -> None:
            target = next(hit.rect for hit in driven.stage.canvas.hits if hit.action == action)
            await pilot.click("#stage", offset=(target.x, target.y))

        await click("key:L")
        await driven.until(lambda: player.lang == "zh")
        await click("key:question_mark")
        await driven.until(lambda: t("zh", "tui.help.foot") in driven.text)
        await pilot.click("#stage", offset=(0, 0))
        await driven.until(lambda: t("zh", "tui.help.foot") not in driven.text)
        await click("key:left")
        await driven.until(lambda: not driven.stage.moment.timeline.at_edge)
        await click("key:ctrl+p")
        await driven.until(lambda: isinstance(app.screen, CommandPalette))
