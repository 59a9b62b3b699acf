"""The first five minutes, on the recording from a real kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import Course, Driven, replayed, touring
from tour.i18n import Lang, t
from tour.lesson.course import Place, course


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_six_presses_bring_an_answer_and_then_the_model(lang: Lang, size: tuple[int, int]) -> None:
    async with replayed("0", lang, size) as (driven, player):
        steps = player.lesson.step
        for number, step in enumerate(steps):
            await driven.press("enter")
            await driven.until(lambda: driven.phase == "explain" and not driven.stage.moment.busy)
            said = player.lesson.text(lang, step.id).explain.replace("`", "")
            assert said[:20] in driven.text, number
        assert driven.stage.moment.state.packets_out == 1 and driven.stage.moment.state.packets_in == 1
        assert t(lang, "tui.first.title") not in driven.text
        await driven.press("enter")
        await driven.until(lambda: t(lang, "tui.first.title") in driven.text)
        assert player.lesson.after is not None and player.lesson.after.get(lang) in driven.text


async def test_the_way_on_is_the_next_lesson(tmp_path: Path) -> None:
    async with touring(Course(tmp_path), Place("0")) as driven:
        await to_the_end(driven)
        await driven.press("enter")
        await driven.until(lambda: driven.stage.moment.lesson == course().following("0"))


async def test_the_way_on_is_the_map(tmp_path: Path) -> None:
    async with touring(Course(tmp_path), Place("0")) as driven:
        await to_the_end(driven)
        await driven.press("2")
        await driven.until(lambda: driven.page is driven.app.home)
        assert driven.home.progress.lesson("0").completed and driven.home.cursor == course().following("0")


async def test_the_way_on_is_out(tmp_path: Path) -> None:
    async with touring(Course(tmp_path), Place("0")) as driven:
        await to_the_end(driven)
        await driven.press("3")
        await driven.until(lambda: not driven.app.is_running)


async def to_the_end(driven: Driven) -> None:
    """All six steps of the first five minutes, and the card after them."""
    assert driven.app.lesson is not None
    for _ in driven.stage.moment.steps:
        await driven.press("enter")
        await driven.until(lambda: driven.phase == "explain" and not driven.stage.moment.busy)
    await driven.press("enter")
    await driven.until(lambda: driven.page.card is not None)


async def test_the_language_changes_under_way() -> None:
    async with replayed("0") as (driven, player):
        await driven.press("enter")
        await driven.until(lambda: driven.phase == "explain")
        await driven.press("L")
        assert player.lesson.text("zh", "buffer").explain[:8] in driven.text
        await driven.press("enter")
        await driven.until(lambda: driven.phase == "explain" and player.index == 1)
        assert player.lesson.text("zh", "publish").explain.replace("`", "")[:8] in driven.text


async def test_looking_back_in_between_loses_nothing() -> None:
    async with replayed("0") as (driven, player):
        await driven.press("enter")
        await driven.until(lambda: driven.phase == "explain")
        await driven.press("left", "left", "enter")
        assert player.index == 0 and player.looking_back
        await driven.press("end", "enter")
        await driven.until(lambda: driven.phase == "explain" and player.index == 1)


async def test_the_last_card_comes_back_and_speaks_both_languages() -> None:
    async with replayed("0") as (driven, player):
        for _ in player.lesson.step:
            await driven.press("enter")
            await driven.until(lambda: driven.phase == "explain" and not driven.stage.moment.busy)
        await driven.press("enter")
        await driven.until(lambda: t("en", "tui.first.title") in driven.text)
        await driven.press("L")
        assert t("zh", "tui.first.title") in driven.text and "三张表，两个写者" in driven.text
        await driven.press("escape")
        assert t("zh", "tui.first.title") not in driven.text
        await driven.press("enter")
        assert t("zh", "tui.first.title") in driven.text
