"""The lesson screen: keys and clicks become calls of the player, and what the player then is becomes a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual.binding import Binding
from textual.timer import Timer

from tour.agent.sand_player import SandPlayer, forked
from tour.errors import TourError
from tour.i18n import t
from tour.lesson.course import Place
from tour.trace.export.step import FORMS
from tour.tui import cards
from tour.tui.card import Card
from tour.tui.keys import bindings
from tour.tui.options import Options
from tour.tui.ports import PlayerLike
from tour.tui.sheet import Sheet
from tour.tui.stage import Compose
from tour.tui.typing import DRIVE, ORDER, TYPE, Typing

PLAY_SECONDS = 1.2
"""Pause between two events while playing, at speed 1."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class LessonScreen(Typing):
    """What every key and click does."""

    BINDINGS: ClassVar[list[Binding]] = bindings()  # type: ignore[assignment]

    def __init__(self, player: PlayerLike, options: Options, compose_view: Compose, *, in_course: bool = False) -> None:
        super().__init__(player, options, compose_view, in_course=in_course)
        self._offered = False
        self._playing: Timer | None = None

    def trouble(self, error: TourError) -> None:
        """Say what went wrong; all that was seen stays."""
        self._pause()
        super().trouble(error)

    def _step(self, do: Callable[[], object], *, moving: bool = True) -> None:
        """One wish of the person: whatever is on its way has arrived, then the wish."""
        self.notice = ""
        if self.stage.moving:
            self.stage.show()
        try:
            do()
        except TourError as error:
            self.trouble(error)
            return
        self.show(moving=moving)

    def action_do(self) -> None:
        """Enter: take the option under the cursor, close a card, or go on with the lesson."""
        if self.card is not None:
            self._take_card(self.card)
        elif self.sand is not None and self.player.error is None:
            self.ask_order()
        elif self.stage.moving:
            self.show()
        elif self.player.error is not None:
            self.put_card(self.deal("error"))
        elif self._over:
            self.put_card(self.deal("end"))
        elif not self.by_hand():
            self._step(self._reveal if self.ui.lecture else self.player.enter)

    def _reveal(self) -> None:
        """Before a room: Enter answers with what was chosen last, or goes on."""
        asked, said = self.player.moment().prediction, self.ui.cursor
        self.stage.ui = replace(self.ui, cursor=-1)
        if asked and not asked.settled and 0 <= said < len(asked.choices) and not asked.choices[said].struck:
            self.player.answer(asked.choices[said].id)
        else:
            self.player.enter()

    def action_letter(self, number: int) -> None:
        """A to D: what the room says, held until Enter."""
        if self.ui.lecture and self.card is None:
            self.action_answer(number)

    def action_next(self) -> None:
        """A presenter's key: on, whatever that is now; outside a lecture one event forward."""
        if self.ui.lecture and self.moment.timeline.at_edge:
            self.action_do()
        else:
            self.action_forward()

    def _take_card(self, card: Card) -> None:
        """Enter on a card."""
        if card.id == ORDER:
            self.give_order()
        elif card.id in (DRIVE, TYPE):
            self._named(card.chosen if card.id == DRIVE else self.typed)
        else:
            self._take_option(card.chosen)

    def _named(self, said: str) -> None:
        if self.name_action(said):
            notice = self.notice
            self._step(self.player.enter)
            self.notice = notice
            self.show()

    def action_close(self) -> None:
        """Take the card away; the action it asked for is left to the tour."""
        if self.card is not None and self.card.id in (DRIVE, TYPE):
            self.leave_it()
        super().action_close()

    def action_answer(self, number: int) -> None:
        """Choose by number."""
        if self.card is not None:
            if option := self.card.option(number):
                self._take_option(option)
            return
        asked = self.player.moment().prediction
        if self.ui.lecture and asked and number < len(asked.choices) and self._asking:
            self.show(replace(self.ui, cursor=number))
        elif asked and number < len(asked.choices):
            self._step(lambda: self.player.answer(asked.choices[number].id))

    def _take_option(self, option: str) -> None:
        card, self.card = self.card, None
        if card is None or not option:
            self.show()
        elif card.id == DRIVE:
            self.card = card
            self._named(option)
        elif card.id == "fork" and option == cards.SANDBOX:
            self._into_sandbox()
        elif card.id == "fork":
            self.fork(option)
        elif card.id == "end":
            self._end(option)

    def _end(self, option: str) -> None:
        """Take what a lesson's end offers: the next lesson (its id), the map, or leaving."""
        if option == cards.LEAVE:
            self.action_leave()
        else:
            self.post_message(self.Go(None if option == cards.MAP else Place(option)))

    def fork(self, vary: str) -> None:
        """Begin anew from here with a variant."""
        self._step(lambda: self.player.fork(None if vary == cards.PLAIN_FORK else vary), moving=False)

    def _into_sandbox(self) -> None:
        led = self.led
        if led is not None:
            try:
                self.post_message(self.Into(SandPlayer(self.lang, led.connect, led.device, forked(led))))
            except TourError as error:
                self.trouble(error)

    def action_back(self) -> None:
        """Look one event back."""
        self.look(self.player.back)

    def action_forward(self) -> None:
        """Look one event forward; what moved then moves again."""
        self.look(self.player.forward, moving=True)

    def action_first(self) -> None:
        """Look at the beginning of the first step; from there, at that of the set-up."""
        marks = self.player.timeline.marks
        first = marks[0].position if marks else 0
        self.look(lambda: self.player.seek(first if first < self.moment.timeline.position else 0))

    def action_live(self) -> None:
        """Return to the edge."""
        self.look(self.player.live)

    def look(self, do: Callable[[], object], *, moving: bool = False) -> None:
        """Look elsewhere in what happened."""
        self._pause()
        self.card = None
        self._step(do, moving=moving)

    def action_panel(self, by: int) -> None:
        """Bring the next panel to the front."""
        panels = self.panels
        panel = panels[(panels.index(self.front) + by) % len(panels)]
        self.notice = ""
        if self.card is not None and self.card.id == "help":
            self.card = cards.help_card(self.lang, panel)
        self.show(replace(self.ui, panel=panel))

    def action_scroll(self, by: int) -> None:
        """Scroll the card, or the panel in front."""
        before, ui, card = str(self.stage.canvas), self.ui, self.card
        if card is not None:
            self.put_card(card.moved(by))
        else:
            rows = max(0, ui.scroll.get(self.front, 0) + by)
            self.show(replace(ui, scroll={**ui.scroll, self.front: rows}))
        if by > 0 and str(self.stage.canvas) == before:  # the end was reached: do not count further
            self.stage.ui, self.card, self.stage.card = ui, card, card

    def action_play(self) -> None:
        """Look through what happened by itself, event by event, up to the edge."""
        if self._playing is not None:
            self._pause()
            self.tell("tui.play.off")
            return
        self.show(replace(self.ui, playing=True))
        self._play_on()

    def _play_on(self) -> None:
        if not self.stage.moving:
            self._step(self.player.forward)
        if self.moment.timeline.at_edge:
            self._pause()
            self.show(moving=True)
            return
        self._playing = self.set_timer(PLAY_SECONDS / self.ui.speed, self._play_on)

    def _pause(self) -> None:
        if self._playing is not None:
            self._playing.stop()
            self._playing = None
        if self.ui.playing:
            self.stage.ui = replace(self.ui, playing=False)

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        ui = self.ui
        index = min(max(0, SPEEDS.index(ui.speed) + by), len(SPEEDS) - 1)
        self.show(replace(ui, speed=SPEEDS[index]))

    def action_fork(self) -> None:
        """Choose a fork."""
        self.put_card(self.deal("fork"))

    def action_restart(self) -> None:
        """A new agent at this step."""
        self.card = None
        self._step(self.player.restart, moving=False)

    def action_more(self) -> None:
        """Open the drawer; before a room that is asked, D is a choice."""
        if self.ui.lecture and self._asking:
            self.action_letter(3)
        else:
            self.put_card(self.deal("more"))

    @property
    def _asking(self) -> bool:
        """Whether a prediction waits for its answer."""
        moment = self.player.moment()
        return moment.phase == "predict" and moment.prediction is not None and not moment.prediction.settled

    def action_code(self) -> None:
        """The step as C, then as strace has it, then the lesson again."""
        kinds = (*FORMS, None)
        now = self.card.id if self.card is not None and self.card.id in FORMS else None
        kind = kinds[(kinds.index(now) + 1) % len(kinds)]
        self.put_card(self.deal(kind) if kind else None)

    def action_help(self) -> None:
        """How to read the panel in front."""
        closing = self.card is not None and self.card.id == "help"
        self.put_card(None if closing else self.deal("help"))

    def action_copy(self) -> None:
        """The panel in front as text, to the clipboard (OSC 52)."""
        from tour.tui.copying import panel_text

        self.app.copy_to_clipboard(panel_text(self.front, self.moment.state, self.stage.canvas))
        self.tell("tui.copied", panel=t(self.lang, f"panel.{self.front}"))

    def action_language(self) -> None:
        """English or Chinese."""
        self.player.set_lang("en" if self.lang == "zh" else "zh")
        self.card = self.deal(self.card.id) if self.card is not None else None
        self._step(lambda: None, moving=False)

    def action_home(self) -> None:
        """To the map of the course."""
        if self.in_course:
            self.post_message(self.Go(None))
        else:
            self.tell("view.home.no_map")

    # the mouse

    def on_sheet_pointed(self, message: Sheet.Pointed) -> None:
        """A target of the canvas was clicked."""
        name, _, value = message.action.partition(":")
        act = _POINTED.get(name)
        if act:
            act(self, value)

    def on_stage_painted(self) -> None:
        """Nothing is on its way any more: a lesson ends with a choice of where to go on."""
        if self._over and not self._offered:
            self._offered = True
            self.put_card(self.deal("end"))

    @property
    def _over(self) -> bool:
        return self.moment.ended


def _spot(screen: LessonScreen, field: str) -> None:
    ui = screen.stage.ui
    screen.show(replace(ui, spotlight="" if ui.spotlight == field else field))


def _press(screen: LessonScreen, key: str) -> None:
    screen.app.call_later(screen.app.simulate_key, key)  # a key that the screen itself sends never reaches its bindings


_POINTED: dict[str, Callable[[LessonScreen, str], None]] = {
    "panel": lambda screen, value: screen.show(replace(screen.stage.ui, panel=value)),
    "choice": lambda screen, value: screen.action_answer(int(value) - 1),
    "option": lambda screen, value: screen.action_answer(int(value)),
    "seek": lambda screen, value: screen.look(lambda: screen.player.seek(int(value))),
    "vary": lambda screen, value: screen.action_fork(),
    "spot": _spot,
    "key": _press,
    "card": lambda screen, value: screen.action_close() if value == "close" else None,
}
