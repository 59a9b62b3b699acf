"""The Textual application: one lesson screen, the agent's events brought to it, and a clean way out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import Screen

from tour.agent.session import Item
from tour.errors import AgentLost, TourError
from tour.i18n import t
from tour.lesson.course import Place, at_position
from tour.tui.first import staged
from tour.tui.home import HomeScreen
from tour.tui.inbox import Inbox
from tour.tui.keys import HOME_KEYS, KEYS
from tour.tui.leaving import crash_words, resume_words
from tour.tui.options import Options
from tour.tui.page import Page
from tour.tui.palette import CSS, commands, filters, textual_theme
from tour.tui.ports import Journey, PlayerLike
from tour.tui.screen import LessonScreen
from tour.view.screen import compose
from tour.view.themes import THEMES, Theme


class TourApp(App[None]):
    """The map and the lessons, one ``page`` at a time; without a ``journey`` one lesson alone.

    An agent's reader thread only ever reaches the inbox of its own visit; players and widgets belong to the screen's
    thread.
    """

    ENABLE_COMMAND_PALETTE = True
    TITLE = "vhost-tour"
    CSS = CSS
    BINDINGS: ClassVar[list[Binding]] = []  # type: ignore[assignment]

    class Arrived(Message):
        """Something waits in the inbox."""

    def __init__(self, player: PlayerLike | None, options: Options, journey: Journey | None = None) -> None:
        super().__init__()
        self.journey = journey
        self.player = player
        self.lesson: LessonScreen | None = None
        self.home: HomeScreen | None = None
        self.failure: BaseException | None = None
        self._inbox: Inbox[Item] = Inbox(lambda: None)
        self._use_theme(THEMES[options.theme])
        self.page: Page = self._visit(player, options) if player is not None else self._map(options)

    def _visit(self, player: PlayerLike, options: Options) -> LessonScreen:
        """The screen of a player, which is listened to as soon as the screen is there."""
        self.player = player
        self.lesson = LessonScreen(player, options, compose, in_course=self.journey is not None)
        self._inbox = Inbox(lambda: self.post_message(self.Arrived()))
        return self.lesson

    def _map(self, options: Options) -> HomeScreen:
        """The screen of the map, made once."""
        assert self.journey is not None, "only a journey has a map"
        if self.home is None:
            self.home = HomeScreen(self.journey, options)
            self.install_screen(self.home, "home")
        return self.home

    def _use_theme(self, theme: Theme) -> None:
        self.no_color = theme.mono
        self._filters = filters(self._filters, theme)

    def get_default_screen(self) -> Screen[Any]:
        """Where it begins."""
        return self.page

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: our keys, in the learner's language."""
        return commands(self.page.lang, HOME_KEYS if self.page is self.home else KEYS, self._run_command)

    def _run_command(self, action: str) -> None:
        self.call_later(self.page.run_action, action)

    def on_mount(self) -> None:
        """Begin to listen. All that is loaded by now stays: the collector need not walk it between key and frame."""
        gc.freeze()
        self._listen()

    def _listen(self) -> None:
        if self.player is not None:
            self.player.listen(self._inbox.put)

    def on_tour_app_arrived(self) -> None:
        """Give the player what came from the agent, in order."""
        if self.player is None or self.lesson is None:
            return
        for item in self._inbox.take():
            known = self.player.error
            self.player.hear(item)
            if self.player.error is not None and self.player.error is not known:
                self.lesson.trouble(self.player.error)
        self.lesson.show_soon()

    # from place to place

    def on_page_go(self, message: Page.Go) -> None:
        """To a lesson, or to the map; the lesson behind is over, its agent too."""
        options = self.page.options
        self.close_player()
        if message.place is None:
            self._to_map(options)
            return
        try:
            self._to_lesson(message.place, options)
        except TourError as error:
            self._to_map(options, message.place)
            self._map(options).trouble(error)

    def on_page_into(self, message: Page.Into) -> None:
        """From a lesson into the sandbox; the lesson behind is over, its agent too."""
        options = self.page.options
        self.close_player()
        message.player.begin()
        self._turn_to(self._visit(message.player, options))
        self._listen()

    def _to_lesson(self, place: Place, options: Options) -> None:
        assert self.journey is not None, "only a journey leads elsewhere"
        where = place if place.step else at_position(place.lesson, self.journey.progress())
        player = self.journey.player(where, options.lang)
        player.begin()
        self._turn_to(self._visit(staged(player), options))
        self._listen()

    def _to_map(self, options: Options, at: Place | None = None) -> None:
        home = self._map(options)
        home.come_back(options, at)
        self._turn_to(home)

    def _turn_to(self, page: Page) -> None:
        """Show ``page``. The screen we began with stays at the bottom: Textual cannot replace its default screen."""
        while not isinstance(self.screen, Page):
            self.pop_screen()
        self.page = page
        if page is self.screen:
            return
        if page is self.screen_stack[0]:
            self.pop_screen()
        elif len(self.screen_stack) > 1:
            self.switch_screen(page)
        else:
            self.push_screen(page)

    def close_player(self) -> None:
        """End the agent of the lesson that is open."""
        player, self.player = self.player, None
        if player is not None:
            player.close()

    def action_command_palette(self) -> None:
        """Every key by its words."""
        if isinstance(self.screen, CommandPalette):
            return
        theme = textual_theme(THEMES[self.page.theme_name])
        self.register_theme(theme)
        self.theme = theme.name  # only now: restyling all of Textual costs more than a frame, and only this shows it
        self.push_screen(CommandPalette(placeholder=t(self.page.lang, "tui.palette")))

    def on_page_themed(self, message: Page.Themed) -> None:
        """Textual's own parts follow the canvas."""
        self._use_theme(message.theme)

    def on_page_leave(self, message: Page.Leave) -> None:
        """Out."""
        self.exit(None, message.code)

    def _handle_exception(self, error: Exception) -> None:
        """A defect of ours: leave the screen; ``run_tui`` says it in one sentence (Textual would print a traceback
        with every local variable)."""
        self.failure = error
        super()._handle_exception(error)
        self._exit_renderables.clear()


def run_tui(
    player: PlayerLike | None,
    options: Options,
    journey: Journey | None = None,
    leaving: Callable[[], None] | None = None,
) -> int:
    """Run a player, or (None) the journey's map, on this terminal until the person leaves.

    ``leaving`` is done once the screen is gone, while the agent still runs.
    Returns the exit code: 0, 130 after Ctrl-C, 4 after a defect of ours, told on stderr.
    """
    app = TourApp(staged(player) if player is not None else None, options, journey)
    try:
        app.run()
    except Exception as error:  # noqa: BLE001 - the last net: nobody should meet a traceback
        app.failure = error
    lang = app.page.lang
    if app.failure is not None:
        print(crash_words(app.failure, lang), file=sys.stderr)
        code = AgentLost.exit_code
    else:
        print(resume_words(app.player.moment() if app.player is not None else None, lang))
        code = app.return_code or 0
        if leaving is not None:
            leaving()
    app.close_player()
    return code
