"""What a lesson's screen shows: the player's moment, what moves on the way to it, a notice, a card on top."""

from __future__ import annotations

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.timer import Timer

from tour.errors import TourError
from tour.i18n import Lang, t
from tour.lesson.moment import Moment
from tour.trace.export.step import FORMS
from tour.tui import cards
from tour.tui.card import Card
from tour.tui.options import Options
from tour.tui.page import Page
from tour.tui.ports import PlayerLike
from tour.tui.reel import scenes
from tour.tui.stage import Compose, Stage
from tour.view.area import View
from tour.view.themes import THEMES
from tour.view.ui import Ui

PAINT_SECONDS = 0.05
"""Bursts of events are painted at most this often; the last state is always painted."""


class Showing(Page):
    """Draws one player. All its methods run on the screen's own thread."""

    def __init__(self, player: PlayerLike, options: Options, compose_view: Compose, *, in_course: bool = False) -> None:
        super().__init__(options)
        self.player = player
        self.in_course = in_course
        self.notice = ""
        self._shown = player.moment()
        self._later: Timer | None = None
        self.stage = Stage(compose_view, THEMES[options.theme], self._shown, self._looks())

    def _looks(self) -> Ui:
        return Ui(glyphs=self._options.glyphs, lecture=self._options.lecture)

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self.stage

    @property
    def sheet(self) -> Stage:
        """The widget."""
        return self.stage

    @property
    def moment(self) -> Moment:
        """The moment the screen is at (what moves may still be on its way to it)."""
        return self._shown

    @property
    def lang(self) -> Lang:
        """Language of all words."""
        return self._shown.lang

    @property
    def ui(self) -> Ui:
        """How the moment is looked at."""
        return self.stage.ui

    @property
    def front(self) -> str:
        """The panel in front."""
        return View(self._shown, self.ui, wide=False).panel

    @property
    def panels(self) -> tuple[str, ...]:
        """The tabs there are."""
        return View(self._shown, self.ui, wide=False).panels

    def show(self, ui: Ui | None = None, *, moving: bool = False) -> None:
        """Draw the player's moment: with ``moving``, after the way there has been seen.

        A new step brings its own panel to the front, whatever was chosen before.
        """
        before, self._shown = self._shown, self.masked(self.player.moment())
        if before.step != self._shown.step:
            ui = replace(ui or self.ui, panel="", scroll={}, spotlight="")
        moment = replace(self._shown, notice=self.notice) if self.notice else self._shown
        self._stop_waiting()
        way = list(scenes(before, self._shown, self.player.timeline)) if moving and self.motion else []
        self.stage.card = self.card
        if not (way or (moving and self.stage.moving)):
            self.stage.show(moment, ui)
            return
        self.stage.ui = ui or self.ui
        for travels, between in way:
            self.stage.play(between, travels)
        self.stage.play(moment, ())

    def show_soon(self) -> None:
        """Draw within ``PAINT_SECONDS``, once for all that happens until then."""
        if self._later is None:
            self._later = self.set_timer(PAINT_SECONDS, lambda: self.show(moving=True))

    def _stop_waiting(self) -> None:
        if self._later is not None:
            self._later.stop()
            self._later = None

    def tell(self, key: str, **values: str) -> None:
        """Show a one-line notice until the next key."""
        self.notice = t(self.lang, key, **values)
        self.show()

    def put_card(self, card: Card | None) -> None:
        """Lay a card on the table, or take it away."""
        self.card = card
        self.show()

    def deal(self, kind: str) -> Card | None:
        """The card of that kind as it reads now."""
        moment, error = self.player.moment(), self.player.error
        if kind == "error":
            return cards.error_card(moment.lang, error) if error is not None else None
        if kind == "help":
            return cards.help_card(moment.lang, self.front)
        if kind == "fork":
            session = self.player.session
            recorded = session is not None and session.kind == "replay"
            return cards.fork_card(moment, recorded=recorded, sandbox=self.may_fork_freely)
        if kind in FORMS:
            return cards.code_card(moment, self.player.timeline.events, "c" if kind == "c" else "strace")
        return cards.more_card(moment) if kind == "more" else cards.end_card(moment, in_course=self.in_course)

    def masked(self, moment: Moment) -> Moment:
        """The moment without what must not be seen yet."""
        return moment

    @property
    def may_fork_freely(self) -> bool:
        """Whether one may go on from here in the sandbox."""
        return False

    def trouble(self, error: TourError) -> None:
        """Say what went wrong; all that was seen stays."""
        self.put_card(cards.error_card(self.lang, error))
