"""An app under test: keys in, what is on the canvas out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tour.agent import client
from tour.agent.player import Player
from tour.i18n import Lang
from tour.lesson.model import load
from tour.tui.app import TourApp
from tour.tui.first import staged
from tour.tui.options import Options
from tour.tui.stage import Stage


class Driven:
    """Waits for conditions, never for time."""

    def __init__(self, pilot: Pilot[str], app: TourApp) -> None:
        self.pilot, self.app = pilot, app

    @property
    def stage(self) -> Stage:
        return self.app.lesson.stage

    @property
    def text(self) -> str:
        return str(self.stage.canvas)

    @property
    def phase(self) -> str:
        return self.stage.moment.phase

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Turn the app's loop until ``condition`` holds; at most twenty seconds of it."""
        for _ in range(1000):
            if condition():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(self.text)


@asynccontextmanager
async def replayed(
    lesson_id: str, lang: Lang = "en", size: tuple[int, int] = (80, 24), *, motion: bool = False
) -> AsyncIterator[tuple[Driven, Player]]:
    """The real player on a lesson's recording, its set-up built."""
    lesson = load(lesson_id)
    player = Player(lesson, lang, lambda _: client.connect_replay(lesson.recording_path()), "replay")
    app = TourApp(staged(player), Options(motion=motion))
    try:
        async with app.run_test(size=size) as pilot:
            driven = Driven(pilot, app)
            await driven.until(lambda: bool(len(player.timeline)) and not player.busy and not driven.stage.moment.busy)
            yield driven, player
    finally:
        player.close()
