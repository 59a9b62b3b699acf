"""An exercise on the screen: checked on every save, the ring after each access, hints, a clean way out."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tour.cli.exercise_screen import stepped
from tour.errors import TourError
from tour.i18n import Lang, t
from tour.judge.run import known, verdict
from tour.lesson.exercise import find, variants
from tour.tui.desk import DeskApp
from tour.tui.options import Options
from tour.view.canvas import width_of
from tour.view.desk import Told

PUBLISH = find("publish")
SOURCE = {one.name: one.source for one in variants(PUBLISH, "wrong")}


def told(name: str, check: str, lang: Lang) -> Told:
    """What the judge's recordings of a wrong solution look like on the screen."""
    spec = next(one for one in PUBLISH.check if one.id == check)
    found = verdict(PUBLISH, spec, known(PUBLISH, check, SOURCE[name], 7), 7, pictured=True)
    return stepped(("[ ] " + spec.title.get(lang), *(f"line {n}" for n in range(40))), found, lang)


class Work:
    """A folder that a test saves into."""

    title, file = "Publish", "publish.py"

    def __init__(self, lang: Lang = "en") -> None:
        self.lang: Lang = lang
        self.saved = 1
        self.checks = 0
        self.error: TourError | None = None

    def stamp(self) -> object:
        return self.saved

    def check(self) -> Told:
        self.checks += 1
        if self.error is not None:
            raise self.error
        return told("idx_modulo", "index", self.lang) if self.saved == 1 else Told(("[x] all",))

    def hint(self) -> str:
        return "Hint 1/3\nLook at the ring."

    def close(self) -> None:
        pass


async def settled(app: DeskApp, pilot: Pilot[int], condition: object) -> None:
    """Turn the app's loop until it holds; at most twenty seconds of it."""
    assert callable(condition)
    for _ in range(1000):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError(str(app.sheet.canvas))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_file_is_checked_and_the_wrong_field_marked(size: tuple[int, int], lang: Lang) -> None:
    app = DeskApp(Work(lang), Options(lang=lang))
    async with app.run_test(size=size) as pilot:
        await settled(app, pilot, lambda: app.desk.told.states and not app.desk.busy)
        text = str(app.sheet.canvas)
        row = next(line for line in text.splitlines() if "idx" in line and "<" in line)
        assert row.index(">") < row.index("<"), "the field that differs"
        assert PUBLISH.check[1].title.get(lang) in text
        assert all(width_of(line) <= size[0] for line in text.splitlines())


async def test_every_access_can_be_looked_at() -> None:
    app = DeskApp(Work(), Options())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app, pilot, lambda: app.desk.told.states)
        last = len(app.desk.told.states) - 1
        assert app.desk.position == last
        await pilot.press("left")
        assert app.desk.position == last - 1 and "publish.py:" in str(app.sheet.canvas)
        await pilot.press("home", "left")
        assert app.desk.position == 0 and t("en", "exercise.desk_begin") in str(app.sheet.canvas)
        base = app.desk.told.states[0].rings[1].avail_idx
        assert f"idx {base}" in str(app.sheet.canvas)
        await pilot.press("end", "right")
        assert app.desk.position == last


async def test_a_save_is_checked_once() -> None:
    work = Work()
    app = DeskApp(work, Options())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app, pilot, lambda: app.desk.told.states)
        work.saved = 2
        await settled(app, pilot, lambda: "[x] all" in str(app.sheet.canvas))
        assert work.checks == 2 and not app.desk.told.states
        await pilot.press("c")
        await settled(app, pilot, lambda: work.checks == 3 and not app.desk.busy)


async def test_hints_stand_above_and_the_text_scrolls() -> None:
    app = DeskApp(Work(), Options())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app, pilot, lambda: app.desk.told.states)
        await pilot.press("h")
        assert "Look at the ring." in str(app.sheet.canvas)
        await pilot.press(*["down"] * 12)
        text = str(app.sheet.canvas)
        assert "Look at the ring." not in text and "line 12" in text
        await pilot.press(*["up"] * 30)
        assert "Look at the ring." in str(app.sheet.canvas)


async def test_trouble_is_told_in_its_place() -> None:
    work = Work("zh")
    work.error = TourError("The judge failed; your code was not judged.", "", "tour doctor")
    app = DeskApp(work, Options(lang="zh"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app, pilot, lambda: "评判程序出错" in str(app.sheet.canvas))
        assert app.is_running


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("ctrl+c", 130)])
async def test_ways_out(key: str, code: int) -> None:
    app = DeskApp(Work(), Options())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app, pilot, lambda: not app.desk.busy)
        await pilot.press(key)
    assert app.return_code == code


async def test_a_small_terminal_breaks_nothing() -> None:
    app = DeskApp(Work(), Options())
    async with app.run_test(size=(20, 5)) as pilot:
        await settled(app, pilot, lambda: app.desk.told.states)
        assert str(app.sheet.canvas)
