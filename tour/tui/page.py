"""What the map and a lesson have in common as screens: one sheet, a card on it, theme, motion, language, ways out."""

from __future__ import annotations

from dataclasses import replace

from textual.message import Message
from textual.screen import Screen

from tour.agent.sand_player import SandPlayer
from tour.i18n import Lang, t
from tour.lesson.course import Place
from tour.tui.card import Card
from tour.tui.options import Options
from tour.tui.sheet import Sheet
from tour.view.themes import THEMES, Theme

INTERRUPTED = 130


class Page(Screen[None]):
    """A screen of ours. ``options`` are as the person has changed them since."""

    AUTO_FOCUS = "#stage"

    class Leave(Message):
        """The person wants out, with this exit code."""

        def __init__(self, code: int = 0) -> None:
            super().__init__()
            self.code = code

    class Go(Message):
        """The person wants to that place, None for the map."""

        def __init__(self, place: Place | None) -> None:
            super().__init__()
            self.place = place

    class Into(Message):
        """The person wants into the sandbox, with this player, not yet begun."""

        def __init__(self, player: SandPlayer) -> None:
            super().__init__()
            self.player = player

    class Themed(Message):
        """Another theme was chosen."""

        def __init__(self, theme: Theme) -> None:
            super().__init__()
            self.theme = theme

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options
        self.motion = options.motion
        self.theme_name = options.theme
        self.card: Card | None = None

    @property
    def options(self) -> Options:
        """How the person wants the next screen."""
        return replace(self._options, motion=self.motion, theme=self.theme_name, lang=self.lang)

    @property
    def lang(self) -> Lang:
        """Language of all words."""
        raise NotImplementedError

    @property
    def sheet(self) -> Sheet:
        """The widget."""
        raise NotImplementedError

    def tell(self, key: str, **values: str) -> None:
        """Show a one-line notice until the next key."""
        raise NotImplementedError

    def put_card(self, card: Card | None) -> None:
        """Lay a card on the table, or take it away."""
        raise NotImplementedError

    def action_close(self) -> None:
        """Take the card away."""
        self.put_card(None)

    def action_theme(self) -> None:
        """The next theme."""
        names = list(THEMES)
        self.theme_name = names[(names.index(self.theme_name) + 1) % len(names)]
        theme = THEMES[self.theme_name]
        self.sheet.set_theme(theme)
        self.post_message(self.Themed(theme))
        self.tell("tui.theme.now", name=t(self.lang, f"tui.theme.{self.theme_name}"))

    def action_motion(self) -> None:
        """Motion on or off."""
        self.motion = not self.motion
        self.tell("tui.motion.on" if self.motion else "tui.motion.off")

    def action_leave(self) -> None:
        """Leave the program."""
        self.post_message(self.Leave())

    def action_interrupt(self) -> None:
        """Ctrl-C: leave with the exit code that means it."""
        self.post_message(self.Leave(INTERRUPTED))
