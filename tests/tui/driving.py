"""An app under test: keys in, what is on the canvas out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from tour.agent import client
from tour.agent.player import Player
from tour.agent.probes import Finding
from tour.cli.journey import Journey
from tour.cli.options import StartOptions, Where
from tour.i18n import Lang
from tour.lesson.course import Place
from tour.lesson.model import load
from tour.lesson.progress import LessonProgress
from tour.tui.app import TourApp
from tour.tui.first import staged
from tour.tui.options import Options
from tour.tui.page import Page
from tour.tui.stage import Stage
from tour.view.home import Home

FINDINGS = [
    Finding("python", True, "3.11.2 (/usr/bin/python3)"),
    Finding("terminal", True, "80 x 24, utf-8, TERM=xterm-256color, truecolor"),
    Finding("embedded", True, "/usr/lib/tour/abi/_native.abi3.so"),
    Finding("namespaces", True, "user, net, mount, pid"),
    Finding("tun", False, "", "No tap could be made: open of /dev/net/tun says ENOENT.",
            "/dev/net/tun does not exist.", "sudo modprobe tun"),
    Finding("kernel", False, "", "/dev/vhost-net cannot be opened.", "", "sudo modprobe vhost_net"),
    Finding("qemu", True, "/usr/bin/qemu-system-x86_64"),
    Finding("lab_kernel", True, "Linux 6.1.0-56-amd64 (/boot/vmlinuz-6.1.0-56-amd64)"),
    Finding("busybox", True, "/usr/bin/busybox"),
    Finding("tcpdump", False, "", "tcpdump is not installed.", "", "sudo apt-get install tcpdump"),
]  # fmt: skip
"""A machine with neither tap nor vhost-net."""


class Driven:
    """Waits for conditions, never for time."""

    def __init__(self, pilot: Pilot[None], app: TourApp) -> None:
        self.pilot, self.app = pilot, app

    @property
    def stage(self) -> Stage:
        assert self.app.lesson is not None
        return self.app.lesson.stage

    @property
    def page(self) -> Page:
        return self.app.page

    @property
    def home(self) -> Home:
        assert self.app.home is not None
        return self.app.home.home

    @property
    def text(self) -> str:
        return str(self.page.sheet.canvas)

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


class Course(Journey):
    """The real journey on recordings, on a machine that is always the same."""

    def __init__(self, folder: Path, lang: Lang = "en", device: str = "replay") -> None:
        super().__init__(StartOptions("", Where(device), lang, state_dir=str(folder)))
        self.opened: list[tuple[Place, Player]] = []

    def player(self, place: Place, lang: Lang) -> Player:
        player = super().player(place, lang)
        self.opened.append((place, player))
        return player

    def findings(self) -> list[Finding]:
        return FINDINGS

    def did(self, lesson: str, *steps: str, position: str = "", completed: str = "") -> None:
        """Have done that at some time before."""
        at = f"2026-01-02T03:04:{len(self.keeper.read().lessons):02}Z"
        news = LessonProgress(list(steps), position, at, at if completed else "")
        self.keeper.remember(lesson, news)
        self.keeper.write()


@asynccontextmanager
async def replayed(
    lesson_id: str, lang: Lang = "en", size: tuple[int, int] = (80, 24), *, motion: bool = False
) -> AsyncIterator[tuple[Driven, Player]]:
    """The real player on a lesson's recording, its set-up built, without a course around it."""
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


@asynccontextmanager
async def touring(
    course: Course, where: Place | None = None, lang: Lang = "en", size: tuple[int, int] = (80, 24), theme: str = "dark"
) -> AsyncIterator[Driven]:
    """The program as ``tour start`` runs it: on the map, or at a place."""
    player = course.player(where, lang) if where else None
    if player is not None:
        player.begin()
    app = TourApp(staged(player) if player else None, Options(theme=theme, motion=False, lang=lang), course)
    try:
        async with app.run_test(size=size) as pilot:
            driven = Driven(pilot, app)
            await driven.until(lambda: ready(driven))
            yield driven
    finally:
        app.close_player()
        course.close()


def ready(driven: Driven) -> bool:
    """All that is read after the first frame is there."""
    if driven.app.home is not None and driven.page is driven.app.home:
        return driven.home.findings is not None
    player = driven.app.player
    return player is not None and len(player.timeline) > 0 and not driven.stage.moment.busy
