"""``tour replay``: a recording in the terminal, as text, as events, or as one picture."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from tour.agent.player import Player
from tour.agent.replay import ReplaySession
from tour.cli.drive import Pump, wait_idle
from tour.cli.options import Where
from tour.cli.output import say, tell, tell_bytes
from tour.cli.teller import Teller
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson import sandbox
from tour.lesson.model import Lesson, load
from tour.lesson.moment import Moment
from tour.trace import events as ev
from tour.trace import store


class ReplayOptions(msgspec.Struct, frozen=True):
    """What ``tour replay`` was asked for."""

    file: str
    lang: Lang
    plain: bool = False
    json: bool = False
    svg: str = ""
    at: str = ""
    size: str = "160x48"
    glyphs: str = "auto"
    theme: str = ""
    no_motion: bool = False


def replay_file(options: ReplayOptions) -> int:
    """Play the recording. Raises RecordingError, UsageError."""
    recording = store.load(Path(options.file))
    if not recording.whole:
        say(t(options.lang, "cli.cut_recording"))
    if options.json:
        for event in recording.events:
            tell_bytes(ev.encode(event))
        return 0
    if recording.hello.lesson == ev.WATCH:
        return _replay_watch(recording, options)
    lesson = lesson_of(recording)
    player = Player(lesson, options.lang, lambda command: ReplaySession(recording), "replay")
    if options.svg:
        return draw(player, Pump(player), options)
    from tour.cli.options import StartOptions
    from tour.cli.start import draw as draw_screen
    from tour.cli.start import dumb, on_terminal

    if options.plain or dumb():
        return _plain(player, Pump(player))
    if not on_terminal():
        raise UsageError(t(options.lang, "cli.not_tty_replay", file=options.file))
    wanted = StartOptions(
        lesson.id, Where("replay"), options.lang, False, options.glyphs, options.theme, options.no_motion
    )
    return draw_screen(player, wanted)


def lesson_of(recording: store.Recording) -> Lesson:
    """The lesson a recording is of; a sandbox's is made of the orders it holds. Raises LessonError, UsageError."""
    name = recording.hello.lesson
    return sandbox.of_recording(recording.events) if name == sandbox.SANDBOX else load(name)


def _replay_watch(recording: store.Recording, options: ReplayOptions) -> int:
    from tour.cli.watch import ReplayWish, replay_watch

    wish = ReplayWish(
        options.lang, options.plain, options.svg, options.at, size_of(options.size), options.glyphs, options.theme
    )
    return replay_watch(recording, wish)


def _plain(player: Player, pump: Pump) -> int:
    teller = Teller(player, tell)
    player.open()
    wait_idle(player, pump)
    teller.opening()
    recorded = {mark.step for mark in store_marks(player)}
    while not player.ended and player.step.id in recorded:
        teller.step_head()
        teller.question()
        player.act()
        wait_idle(player, pump)
        teller.happened()
        teller.answer()
        teller.explain()
        teller.checks()
        player.next_step()
    return 0


def store_marks(player: Player) -> list[ev.Step]:
    """The steps a recording holds."""
    assert isinstance(player.session, ReplaySession)
    return [event.data for event in player.session.recording.events if isinstance(event.data, ev.Step)]


def draw(player: Player, pump: Pump, options: ReplayOptions) -> int:
    """Play up to the end of step ``at`` and draw that moment."""
    size = size_of(options.size)
    _play_to(player, pump, options.at or player.lesson.step_ids[-1])
    picture = picture_of(player.moment(), size, options.theme)
    try:
        Path(options.svg).write_text(picture, "utf-8")
    except OSError as error:
        raise UsageError(f"The picture {options.svg} cannot be written: {error.strerror}.") from error
    say(t(options.lang, "cli.picture", path=options.svg))
    return 0


def picture_of(moment: Moment, size: tuple[int, int], theme: str = "") -> str:
    """The moment as an SVG of that many columns and rows. Raises UsageError for an unknown theme."""
    from tour.view import themes
    from tour.view.screen import compose
    from tour.view.svg import svg
    from tour.view.ui import Ui

    found = themes.THEMES.get(theme or "dark")
    if found is None:
        raise UsageError(f"There is no theme '{theme}'.", f"There are: {', '.join(themes.THEMES)}.")
    return svg(compose(moment, Ui(), *size), found, moment.title)


def _play_to(player: Player, pump: Pump, step: str) -> None:
    if step not in player.lesson.step_ids:
        raise UsageError(
            f"Lesson {player.lesson.id} has no step '{step}'.", f"It has {', '.join(player.lesson.step_ids)}."
        )
    player.open()
    wait_idle(player, pump)
    while True:
        player.act()
        wait_idle(player, pump)
        if player.step.id == step:
            return
        player.next_step()


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows of ``160x48``. Raises UsageError."""
    match = re.fullmatch(r"(\d{2,3})x(\d{2,3})", text)
    if match is None:
        raise UsageError(f"'{text}' is not a size.", "", "--size 160x48")
    return int(match.group(1)), int(match.group(2))
