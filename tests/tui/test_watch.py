"""The screen of watching driven by keys: what the device was asked, what is then seen, how often it is painted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.agent.test_watching import Door
from tests.view.watched import MS, Stream, busy
from tour.agent.watching import Spectator
from tour.errors import AgentLost
from tour.i18n import Lang
from tour.trace import store
from tour.tui.glyphs import Glyphs
from tour.tui.options import Options
from tour.tui.watch import WatchApp
from tour.tui.watch_pace import FASTEST, PaintPace
from tour.view.canvas import Canvas


class Watched:
    """An app that watches, and the device it watches."""

    def __init__(self, app: WatchApp, pilot: Pilot[Any], stream: Stream, door: Door) -> None:
        self.app, self.pilot, self.stream, self.door = app, pilot, stream, door
        self._told = 0

    def tell(self) -> None:
        """What the stream has by now."""
        for event in self.stream.events[self._told :]:
            self.door.tell(event)
        self._told = len(self.stream.events)

    @property
    def text(self) -> str:
        return str(self.app.page.sheet.canvas)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Turn the app's loop until ``condition`` holds; at most twenty seconds of it."""
        for _ in range(1000):
            if condition():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(self.text)

    @property
    def said(self) -> list[str]:
        return [type(one).__name__ for one in self.door.said]


@asynccontextmanager
async def watching(
    stream: Stream, lang: Lang = "en", size: tuple[int, int] = (80, 24), options: Options | None = None
) -> AsyncIterator[Watched]:
    door = Door()
    spectator = Spectator(door, lang, clock=lambda: stream.t)
    spectator.begin()
    app = WatchApp(spectator, options or Options(motion=False))
    async with app.run_test(size=size) as pilot:
        watched = Watched(app, pilot, stream, door)
        watched.tell()
        await watched.until(lambda: len(spectator.history) == len(stream.events))
        app.page.show()
        yield watched
    spectator.close()


async def test_what_comes_is_painted_by_itself_and_stands_still_when_paused() -> None:
    async with watching(Stream().attached().look(published=3)) as watched:
        assert "LIVE  our device, C engine" in watched.text
        watched.stream.look(published=4)
        watched.tell()
        await watched.until(lambda: "avail.idx      7" in watched.text)
        await watched.press("space")
        assert "PAUSED  the guest runs on" in watched.text
        watched.stream.look(published=5)
        watched.tell()
        await watched.until(lambda: len(watched.app.spectator.history) == len(watched.stream.events))
        assert "avail.idx      7" in watched.text
        await watched.press("space")
        assert "avail.idx     12" in watched.text


async def test_looking_back_and_to_the_present_again() -> None:
    stream = Stream().look(published=1).look(published=1).look(published=1)
    async with watching(stream) as watched:
        await watched.press("left", "left")
        assert "LOOKING BACK" in watched.text and "avail.idx      1" in watched.text
        await watched.press("right")
        assert "avail.idx      2" in watched.text
        await watched.press("end")
        assert "LIVE" in watched.text and "avail.idx      3" in watched.text


async def test_slow_motion_says_that_the_guest_waits_and_ends_with_us() -> None:
    async with watching(Stream().attached().look(published=9)) as watched:
        await watched.press("enter")
        assert "No worker is held" in watched.text
        await watched.press("s")
        assert "the guest waits" in watched.text
        watched.stream.look(held=True)
        watched.tell()
        await watched.until(lambda: "HELD: the guest waits" in watched.text)
        await watched.press("enter", "enter", "s")
        watched.stream.look(held=False)
        watched.tell()
        await watched.until(lambda: "HELD" not in watched.text)
        await watched.press("s")
    assert watched.said == ["Packet", "Hold", "Release", "Release", "Resume", "Hold", "Resume"]
    assert watched.door.closed


async def test_a_foreign_device_is_never_asked_to_wait() -> None:
    async with watching(Stream(by="qmp").look(published=1)) as watched:
        await watched.press("s")
        assert "only read" in watched.text and "Hold" not in watched.said


async def test_queue_and_panel_are_chosen_by_key_and_by_mouse() -> None:
    async with watching(busy(queues=4), size=(80, 24)) as watched:
        await watched.press("right_square_bracket")
        assert "RX1 queue, 256 slots" in watched.text
        await watched.press("left_square_bracket", "tab")
        assert "TX queue, 256 slots" in watched.text and "[descriptors]" in watched.text
        rows = watched.text.splitlines()
        await watched.pilot.click("#stage", offset=(rows[-3].index("messages") + 1, 21))
        assert "[messages]" in watched.text and "SET_MEM_TABLE" in watched.text
        await watched.pilot.click("#stage", offset=(rows[1].index("RX1") + 1, 1))
        assert "RX1 queue" in watched.text


async def test_a_recording_is_begun_and_ended_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with watching(Stream().attached().look(published=3)) as watched:
        await watched.press("r")
        assert "REC" in watched.text and "recording to" in watched.text
        watched.stream.look(published=1)
        watched.tell()
        await watched.until(lambda: watched.app.spectator.history.edge.tx.avail_idx == 4)
        await watched.press("r")
        assert "recorded:" in watched.text
    (path,) = tmp_path.glob("watch-*.trace.jsonl")
    assert store.load(path).whole


async def test_the_end_of_what_was_watched_leaves_the_last_picture() -> None:
    async with watching(Stream().look(published=3)) as watched:
        watched.door.end(AgentLost("What was watched has ended: what was seen so far stays here."))
        await watched.until(lambda: "What was watched has ended" in watched.text)
        await watched.press("enter")
        assert "ENDED" in watched.text and "avail.idx      3" in watched.text


async def test_language_theme_and_help() -> None:
    async with watching(busy()) as watched:
        await watched.press("L")
        assert "实时  我们的设备，C 引擎" in watched.text
        await watched.press("question_mark")
        assert "慢动作" in watched.text
        await watched.press("escape", "t")
        assert watched.app.page.theme_name == "light"


async def test_bursts_are_painted_at_most_ten_times_a_second() -> None:
    async with watching(Stream().look(), size=(160, 48)) as watched:
        painted: list[int] = []
        paint = watched.app.page.sheet.paint

        def count(canvas: Canvas) -> None:
            painted.append(1)
            paint(canvas)

        watched.app.page.sheet.paint = count  # type: ignore[method-assign]
        for _ in range(40):
            watched.stream.look(published=1, returned=1, after=5 * MS)
            watched.tell()
            await watched.pilot.pause(0.01)
        await watched.until(lambda: watched.app.spectator.history.edge.tx.avail_idx == 40)
        elapsed = 40 * 0.01
        assert 0 < len(painted) < 40 and len(painted) <= FASTEST * max(elapsed, 4.0)


def test_pictures_that_cost_much_are_painted_less_often() -> None:
    pace = PaintPace()
    pace._since -= 10
    pace.painted(0.05)
    assert 0.5 < pace.wait <= 1.0 and pace.cpu is not None and pace.paints is not None
    for _ in range(80):
        pace._since -= 10
        pace.painted(0.0001)
    assert pace.wait == 1 / FASTEST


async def test_a_recording_plays_by_itself_and_cannot_be_slowed() -> None:
    stream = Stream()
    for _ in range(3):
        stream.look(published=1, after=200 * MS)
    spectator = Spectator(None, "en", stream.events)
    app = WatchApp(spectator, Options(motion=False))
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(500):
            if "avail.idx      3" in str(app.page.sheet.canvas):
                break
            await pilot.pause(0.02)
        text = str(app.page.sheet.canvas)
        assert "REPLAY of 2026-11-22 22:00" in text and "avail.idx      3" in text
        await pilot.press("s")
        assert "cannot be slowed down" in str(app.page.sheet.canvas)


@pytest.mark.parametrize(
    ("lang", "size", "theme", "glyphs", "keys"),
    [
        ("en", (80, 24), "dark", "unicode", ()),
        ("zh", (160, 48), "light", "unicode", ()),
        ("en", (80, 24), "mono", "ascii", ("tab",)),
    ],
    ids=["watch-en", "watch-zh-wide-light", "watch-mono-ascii"],
)
def test_picture(
    snap_compare: Callable[..., bool],
    lang: Lang,
    size: tuple[int, int],
    theme: str,
    glyphs: Glyphs,
    keys: tuple[str, ...],
) -> None:
    stream = busy()
    spectator = Spectator(None, lang, stream.events, clock=lambda: 0)
    app = WatchApp(spectator, Options(theme=theme, glyphs=glyphs, motion=False))
    app.page._pace.painted = lambda seconds: None  # type: ignore[method-assign]
    assert snap_compare(app, press=("end", *keys), terminal_size=size)
