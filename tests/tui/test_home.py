"""The map's screen, driven by keys, clicks and typing, on recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual import events

from tests.tui.driving import Course, Driven, touring
from tour.errors import CapabilityMissing
from tour.i18n import Lang, t
from tour.lesson.course import Place, course
from tour.lesson.model import load
from tour.lesson.progress import Keeper


@pytest.fixture
def trip(tmp_path: Path) -> Course:
    """Lesson 0 done, lesson 8 begun."""
    trip = Course(tmp_path)
    trip.did("0", *load("0").step_ids, completed="yes")
    trip.did("8", "frame", "describe", position="entry")
    return trip


async def on_lesson(driven: Driven, lesson: str, step: str) -> None:
    await driven.until(lambda: driven.page is driven.app.lesson and not driven.stage.moment.busy)
    assert (driven.stage.moment.lesson, driven.stage.moment.step) == (lesson, step)


async def on_map(driven: Driven) -> None:
    await driven.until(lambda: driven.page is driven.app.home and driven.app.screen is driven.app.home)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_one_goes_on_where_one_was(trip: Course, lang: Lang, size: tuple[int, int]) -> None:
    async with touring(trip, None, lang, size) as driven:
        assert load("8").title.get(lang) in driven.text and driven.home.resume == Place("8", 2)
        await driven.press("enter")
        await on_lesson(driven, "8", "entry")
        assert trip.opened[-1][0] == Place("8", 2)


async def test_there_and_back_and_what_was_done_is_there(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("enter")
        await on_lesson(driven, "8", "entry")
        await driven.press("enter", "enter")
        await driven.until(lambda: driven.phase == "observe")
        await driven.press("h")
        await on_map(driven)
        assert driven.home.progress.lesson("8").steps == ["frame", "describe", "entry"]
        assert (driven.home.cursor, driven.home.step) == ("8", 3) and "●●●...." in driven.text
        assert trip.opened[-1][1].session is None, "its agent is gone"
        await driven.press("enter")
        await on_lesson(driven, "8", "publish")
    trip.close()
    assert Keeper(trip.keeper.path.parent).read().lesson("8").position == "publish"


async def test_many_visits_leave_two_screens(trip: Course) -> None:
    async with touring(trip, Place("8")) as driven:
        for _ in range(3):
            await driven.press("h")
            await on_map(driven)
            await driven.press("enter")
            await driven.until(lambda: driven.page is driven.app.lesson)
        assert len(driven.app.screen_stack) <= 2


@pytest.mark.parametrize("theme", ["light", "mono"])
async def test_language_and_theme_go_along(trip: Course, theme: str) -> None:
    async with touring(trip, theme=theme) as driven:
        await driven.press("L")
        assert t("zh", "view.home.map") in driven.text
        await driven.press("t")
        chosen = driven.page.theme_name
        await driven.press("enter")
        await on_lesson(driven, "8", "entry")
        assert driven.stage.moment.lang == "zh" and driven.page.theme_name == chosen != theme
        await driven.press("L", "t", "h")
        await on_map(driven)
        assert t("en", "view.home.map") in driven.text and driven.page.theme_name != chosen


async def test_the_cursor_walks_the_whole_course(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("home")
        ids = [driven.home.cursor]
        for _ in course().entries[1:]:
            await driven.press("down")
            ids.append(driven.home.cursor)
        assert ids == [entry.id for entry in course().entries]
        await driven.press("down", "j")
        assert driven.home.cursor == ids[-1]
        await driven.press("pageup", "k", "end", "up")
        assert driven.home.cursor == ids[-2]


async def test_a_step_is_chosen_with_left_and_right(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("left")
        assert driven.home.step == 1
        await driven.press(*["right"] * 20)
        assert driven.home.step == 6
        await driven.press("enter")
        await on_lesson(driven, "8", "reap")


async def test_a_planned_lesson_opens_nothing(trip: Course) -> None:
    planned = next(entry for entry in course().entries if not entry.ready)
    async with touring(trip) as driven:
        await driven.press("home")
        while driven.home.cursor != planned.id:
            await driven.press("down")
        await driven.press("enter")
        assert t("en", "view.home.later") in driven.text and trip.opened == []


@pytest.mark.parametrize("device", ["replay", "embedded", "auto"])
async def test_the_map_says_what_lessons_run_on(tmp_path: Path, device: str) -> None:
    async with touring(Course(tmp_path, device=device)) as driven:
        on = {"auto": "embedded"}.get(device, device)
        assert t("en", f"view.home.on.{on}") in driven.text


# -- search -----------------------------------------------------------------------------------------------


async def test_letters_are_letters_while_one_searches(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("slash", *"qtLdj")
        assert driven.app.is_running and driven.home.query == "qtLdj" and driven.home.lang == "en"
        await driven.press(*["backspace"] * 6, *"pub", "backspace")
        assert driven.home.query == "pu"
        await driven.press("escape", "j")
        assert driven.home.query is None and driven.home.cursor == "9"


async def test_a_find_is_opened(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("slash", *"8:kick")
        assert "8:kick" in driven.text
        await driven.press("enter")
        await on_lesson(driven, "8", "kick")
        await driven.press("h")
        await on_map(driven)
        assert driven.home.query is None


async def test_chinese_is_typed_and_pasted(trip: Course) -> None:
    async with touring(trip) as driven:
        await driven.press("slash")
        driven.page.sheet.post_message(events.Key("描", "描"))
        await driven.until(lambda: driven.home.query == "描")
        driven.page.post_message(events.Paste("述符\nsecond line"))
        await driven.until(lambda: driven.home.query == "描述符")
        assert any(one.kind == "term" for one in driven.home.found)
        await driven.press("down", "down", "up")
        assert driven.home.pick == min(1, len(driven.home.found) - 1)


async def test_a_find_that_leads_nowhere_is_told(trip: Course) -> None:
    planned = course().entries[-1]
    assert not planned.ready
    async with touring(trip) as driven:
        await driven.press("slash", *planned.title.en[:6].lower(), "enter")
        assert planned.title.en in driven.text and trip.opened == []


# -- cards, the machine, trouble --------------------------------------------------------------------------


async def test_what_is_missing_says_what_mends_it(trip: Course) -> None:
    async with touring(trip, None, "zh") as driven:
        await driven.press("d")
        card = driven.page.card
        assert card is not None and "sudo modprobe vhost_net" in "\n".join(card.lines)
        assert "无法打开 /dev/vhost-net。" in "\n".join(card.lines)
        await driven.press("down", "escape", "question_mark")
        assert t("zh", "tui.help.home_title") in driven.text
        await driven.press("enter")
        assert driven.page.card is None and driven.page is driven.app.home


async def test_a_lesson_that_cannot_be_opened_says_why(trip: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Place, lang: Lang) -> None:
        raise CapabilityMissing("kernel", "/dev/vhost-net cannot be opened.", "", "sudo modprobe vhost_net")

    monkeypatch.setattr(trip, "player", refuse)
    async with touring(trip) as driven:
        await driven.press("enter")
        await driven.until(lambda: driven.page.card is not None)
        assert "sudo modprobe vhost_net" in driven.text and driven.page is driven.app.home
        await driven.press("escape", "down")
        assert driven.home.cursor == "9"


async def test_progress_that_cannot_be_kept_is_said_on_the_map(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text('{"format_version": 9, "lessons": {}}')
    async with touring(Course(tmp_path)) as driven:
        await driven.until(lambda: "newer" in driven.text)  # where its words are wrapped depends on the path's length
        assert "install.sh" in driven.text
        await driven.press("escape")
        assert "newer" not in driven.text


async def test_the_palette_offers_the_keys_of_the_page(trip: Course) -> None:
    async with touring(trip) as driven:
        titles = [one.title for one in driven.app.get_system_commands(driven.app.screen)]
        assert any("search" in title.lower() for title in titles)
        await driven.press("enter")
        await on_lesson(driven, "8", "entry")
        (home,) = (one for one in driven.app.get_system_commands(driven.app.screen) if "map of the course" in one.title)
        home.callback()
        await on_map(driven)


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("ctrl+q", 0), ("ctrl+c", 130)])
async def test_leaving(trip: Course, key: str, code: int) -> None:
    async with touring(trip) as driven:
        await driven.press(key)
        await driven.until(lambda: not driven.app.is_running)
    assert (driven.app.return_code or 0) == code


# -- clicks -----------------------------------------------------------------------------------------------


@pytest.fixture
async def wide(trip: Course) -> AsyncIterator[Driven]:
    async with touring(trip, None, "en", (160, 48)) as driven:
        yield driven


async def click(driven: Driven, action: str) -> None:
    target = next(hit.rect for hit in driven.page.sheet.canvas.hits if hit.action == action)
    await driven.pilot.click("#stage", offset=(target.x, target.y))


async def test_a_click_chooses_and_the_next_one_opens(wide: Driven) -> None:
    await click(wide, "lesson:0")
    assert wide.home.cursor == "0"
    await click(wide, "lesson:0")
    await on_lesson(wide, "0", "buffer")


async def test_keys_on_the_screen_can_be_clicked(wide: Driven) -> None:
    await click(wide, "key:slash")
    await wide.until(lambda: wide.home.query == "")


async def test_the_wheel_moves_the_cursor(wide: Driven) -> None:
    at = [entry.id for entry in course().entries].index(wide.home.cursor)
    await wide.pilot._post_mouse_events([events.MouseScrollDown], "#stage", button=0)
    await wide.until(lambda: wide.home.cursor == course().entries[at + 1].id)


# -- the end of a lesson ----------------------------------------------------------------------------------


async def test_a_lessons_end_leads_on(trip: Course) -> None:
    async with touring(trip, Place("8", 6)) as driven:
        for _ in range(20):
            await driven.press("enter")
            await driven.until(lambda: not driven.stage.moment.busy)
            if driven.page.card is not None:
                break
        card = driven.page.card
        assert card is not None and [option.id for option in card.options] == [course().following("8"), "map", "leave"]
        await driven.press("enter")
        await driven.until(lambda: driven.stage.moment.lesson == course().following("8"))
        assert driven.page.card is None


async def test_a_recording_alone_has_no_map(trip: Course) -> None:
    from tests.tui.driving import replayed

    async with replayed("8") as (driven, _):
        await driven.press("h")
        assert t("en", "view.home.no_map") in driven.text
