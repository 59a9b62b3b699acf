"""The Textual application: one lesson screen, the agent's events brought to it, and a clean way out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import Screen

from tour.agent.session import Item
from tour.errors import AgentLost
from tour.i18n import t
from tour.tui.first import staged
from tour.tui.inbox import Inbox
from tour.tui.leaving import crash_words, resume_words
from tour.tui.options import Options
from tour.tui.palette import CSS, commands, filters, textual_theme
from tour.tui.ports import PlayerLike
from tour.tui.screen import LessonScreen
from tour.view.screen import compose
from tour.view.themes import THEMES, Theme


class TourApp(App[str]):
    """Runs one player on the terminal; returns the id of the lesson to go on with, or ''.

    The agent's reader thread only ever reaches ``_inbox``; players and widgets belong to the screen's thread.
    """

    ENABLE_COMMAND_PALETTE = True
    TITLE = "vhost-tour"
    CSS = CSS
    BINDINGS: ClassVar[list[Binding]] = []  # type: ignore[assignment]

    class Arrived(Message):
        """Something waits in the inbox."""

    def __init__(self, player: PlayerLike, options: Options) -> None:
        super().__init__()
        self.player = player
        self.lesson = LessonScreen(player, options, compose)
        self._inbox: Inbox[Item] = Inbox(lambda: self.post_message(self.Arrived()))
        self._use_theme(THEMES[options.theme])
        self.failure: BaseException | None = None

    def _use_theme(self, theme: Theme) -> None:
        self.no_color = theme.mono
        self._filters = filters(self._filters, theme)

    def get_default_screen(self) -> Screen[Any]:
        """The lesson."""
        return self.lesson

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: our keys, in the learner's language."""
        return commands(self.lesson.lang, self._run_command)

    def _run_command(self, action: str) -> None:
        self.call_later(self.lesson.run_action, action)

    def on_mount(self) -> None:
        """Begin to listen. All that is loaded by now stays: the collector need not walk it between key and frame."""
        gc.freeze()
        self.player.listen(self._inbox.put)

    def on_tour_app_arrived(self) -> None:
        """Give the player what came from the agent, in order."""
        for item in self._inbox.take():
            known = self.player.error
            self.player.hear(item)
            if self.player.error is not None and self.player.error is not known:
                self.lesson.trouble(self.player.error)
        self.lesson.show_soon()

    def action_command_palette(self) -> None:
        """Every key by its words."""
        if isinstance(self.screen, CommandPalette):
            return
        theme = textual_theme(THEMES[self.lesson.theme_name])
        self.register_theme(theme)
        self.theme = theme.name  # only now: restyling all of Textual costs more than a frame, and only this shows it
        self.push_screen(CommandPalette(placeholder=t(self.lesson.lang, "tui.palette")))

    def on_lesson_screen_themed(self, message: LessonScreen.Themed) -> None:
        """Textual's own parts follow the canvas."""
        self._use_theme(message.theme)

    def on_lesson_screen_leave(self, message: LessonScreen.Leave) -> None:
        """Out."""
        self.exit(message.next_lesson, message.code)

    def _handle_exception(self, error: Exception) -> None:
        """A defect of ours: leave the screen; ``run_tui`` says it in one sentence (Textual would print a traceback
        with every local variable)."""
        self.failure = error
        super()._handle_exception(error)
        self._exit_renderables.clear()


def run_tui(player: PlayerLike, options: Options) -> tuple[int, str]:
    """Run a player on this terminal until the person leaves.

    Returns the exit code (0, 130 after Ctrl-C, 4 after a defect of ours, told on stderr) and the id of the lesson to
    go on with.
    """
    player = staged(player)
    app = TourApp(player, options)
    try:
        following = app.run() or ""
    except Exception as error:  # noqa: BLE001 - the last net: nobody should meet a traceback
        app.failure = error
    moment = player.moment()
    if app.failure is not None:
        print(crash_words(app.failure, moment.lang), file=sys.stderr)
        return AgentLost.exit_code, ""
    if not following:
        print(resume_words(moment))
    return app.return_code or 0, following
