"""The key x: the shown step as C, then as strace has it, then the lesson again; nothing of what is not yet known."""

from __future__ import annotations

import pytest

from tests.tui.driving import replayed
from tests.tui.test_lesson_8 import predicted
from tour.i18n import Lang


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_step_as_c_as_strace_and_away(lang: Lang) -> None:
    async with replayed("8", lang, (100, 40)) as (driven, player):
        await predicted(driven, player)
        await driven.press("x")
        assert "static void step_frame(void)" in driven.text and "memset(at(0x40000), 0, 12);" in driven.text
        await driven.press("x")
        assert "# no system call: 42 bytes (frame) stored at GPA 0x4000c" in driven.text
        await driven.press("x")
        assert driven.app.lesson.card is None and "no system call" not in driven.text


async def test_a_step_that_is_still_a_question_is_not_shown() -> None:
    async with replayed("8") as (driven, player):
        await driven.press("x")
        assert "has not run yet" in driven.text
        await driven.press("escape")
        await driven.press("enter")
        await driven.press("1")
        await driven.until(lambda: not player.busy)
        if player.phase != "observe":
            await driven.press("x")
            assert "0x40000" not in driven.text.split("As C")[1]


async def test_indentation_is_kept_and_long_lines_go_on_further_in() -> None:
    from tour.view.text import folded

    assert folded("    int a;", 20) == ("    int a;",)
    assert folded("    called(one, two, three, four);", 20) == (
        "    called(one, two,",
        "        three,",
        "        four);",
    )
    assert folded("", 20) == ("",)
