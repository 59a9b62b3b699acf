"""The map's screen: where to go, what can be found, what this machine can do. Lessons and machine are read after the
first frame, so that it comes at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message

from tour.agent.probes import Finding
from tour.errors import TourError
from tour.i18n import Lang, t
from tour.lesson.course import Place, at_position, course
from tour.lesson.model import load
from tour.tui import cards
from tour.tui.card import Card
from tour.tui.keys import HOME_KEYS, bindings
from tour.tui.options import Options
from tour.tui.page import Page
from tour.tui.ports import Journey
from tour.tui.sheet import Sheet
from tour.view.home import Home, compose
from tour.view.themes import THEMES
from tour.view.ui import Ui


class HomeScreen(Page):
    """The map. ``Go`` says where the person wants to."""

    BINDINGS: ClassVar[list[Binding]] = bindings(HOME_KEYS)  # type: ignore[assignment]

    class Examined(Message):
        """What this machine can do is known."""

        def __init__(self, findings: list[Finding]) -> None:
            super().__init__()
            self.findings = findings

    def __init__(self, journey: Journey, options: Options) -> None:
        super().__init__(options)
        self.journey = journey
        self._ui = Ui(glyphs=options.glyphs)
        self._sheet = Sheet(THEMES[options.theme])
        there = journey.resume()
        lessons = {there.lesson: load(there.lesson)}
        self.home = Home(
            options.lang, journey.progress(), there, there.lesson, there.step, lessons, wanted=journey.runs_on()
        )
        self.card = cards.progress_card(options.lang, journey.trouble(options.lang))

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self._sheet

    @property
    def sheet(self) -> Sheet:
        """The widget."""
        return self._sheet

    @property
    def lang(self) -> Lang:
        """Language of all words."""
        return self.home.lang

    def on_mount(self) -> None:
        """The rest is read when the first frame is seen."""
        self.call_after_refresh(self._read)

    def _read(self) -> None:
        self.show(lessons={entry.id: load(entry.id) for entry in course().ready})
        threading.Thread(target=self._examine, name="probes", daemon=True).start()

    def _examine(self) -> None:
        self.post_message(self.Examined(self.journey.findings()))

    def on_home_screen_examined(self, message: Examined) -> None:
        """Show it; a card that shows it anew."""
        self.show(findings=tuple(message.findings))
        if self.card is not None and self.card.id == "machine":
            self.put_card(cards.machine_card(self.lang, self.home.findings))

    def come_back(self, options: Options, at: Place | None = None) -> None:
        """From a lesson, with what was done in it; ``options`` as they are now."""
        self.theme_name, self.motion = options.theme, options.motion
        self._sheet.set_theme(THEMES[options.theme])
        there = at or self.journey.resume()
        self.card = cards.progress_card(options.lang, self.journey.trouble(options.lang))
        self.home = replace(
            self.home, lang=options.lang, progress=self.journey.progress(), resume=there, cursor=there.lesson,
            step=there.step, query=None, found=(), pick=0, notice="",
        )  # fmt: skip

    def show(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of Home
        """Draw, after these changes."""
        self.home = replace(self.home, **changes)
        width, height = self._sheet.size
        self._sheet.card = self.card
        if width and height:
            self._sheet.paint(compose(self.home, self._ui, width, height))

    def on_sheet_resized(self) -> None:
        """Draw for the new size."""
        self.show()

    def on_screen_resume(self) -> None:
        """Seen again."""
        self.show()

    def tell(self, key: str, **values: str) -> None:
        """Show a notice until the next key."""
        self.show(notice=t(self.lang, key, **values))

    def put_card(self, card: Card | None) -> None:
        """Lay a card on the table, or take it away."""
        self.card = card
        self.show(notice="")

    def trouble(self, error: TourError) -> None:
        """Say why a lesson cannot be opened."""
        self.put_card(cards.error_card(self.lang, error))

    # what keys do

    def action_open(self) -> None:
        """Enter: close a card, open what was found, or the lesson under the cursor."""
        home = self.home
        if self.card is not None:
            self.put_card(None)
        elif home.query:
            self._open_found(home.pick)
        elif home.query is not None:
            self.show(query=None)
        elif home.entry.ready:
            self.post_message(self.Go(Place(home.cursor, home.step)))
        else:
            self.show(notice=home.tr("later"))

    def _open_found(self, number: int) -> None:
        found = self.home.found[number] if number < len(self.home.found) else None
        if found is not None and found.place is not None:
            self.post_message(self.Go(found.place))
        elif found is not None:
            self.show(notice=f"{found.name}: {found.words}")

    def action_move(self, by: int) -> None:
        """Another lesson, another find, or the card's text."""
        if self.card is not None:
            self.put_card(self.card.moved(by))
        elif self.home.query:
            last = max(0, len(self.home.found) - 1)
            self.show(pick=min(max(0, self.home.pick + by), last), notice="")
        else:
            ids = [entry.id for entry in course().entries]
            self._at(ids[min(max(0, ids.index(self.home.cursor) + by), len(ids) - 1)])

    def _at(self, lesson_id: str) -> None:
        """Put the cursor there, on the step to go on with."""
        entry = course().entry(lesson_id)
        ready = entry is not None and entry.ready
        step = at_position(lesson_id, self.home.progress).step if ready else 0
        self.show(cursor=lesson_id, step=step, notice="")

    def action_step(self, by: int) -> None:
        """Another step to begin with."""
        lesson = self.home.lessons.get(self.home.cursor)
        if lesson is not None and self.card is None and not self.home.query:
            self.show(step=min(max(0, self.home.step + by), len(lesson.step) - 1), notice="")

    def action_search(self) -> None:
        """Search from now on: what is typed is looked for."""
        self.card = None
        self.show(query="", found=(), pick=0, notice="")

    def action_machine(self) -> None:
        """What is missing here, and what mends it."""
        self.put_card(cards.machine_card(self.lang, self.home.findings))

    def action_help(self) -> None:
        """What is on the map, and every key."""
        closing = self.card is not None and self.card.id == "help"
        self.put_card(None if closing else cards.home_help_card(self.lang))

    def action_close(self) -> None:
        """Take the card away, or stop searching."""
        if self.card is None:
            self.show(query=None, notice="")
        else:
            self.put_card(None)

    def action_language(self) -> None:
        """English or Chinese."""
        self.card = None
        lang: Lang = "en" if self.lang == "zh" else "zh"
        self.show(lang=lang, notice="")
        if self.home.query:
            self._look_for(self.home.query)

    # what is typed while searching

    def on_key(self, event: events.Key) -> None:
        """While one searches, letters are letters."""
        query = self.home.query
        if query is None or self.card is not None:
            return
        if event.key == "backspace":
            self._look_for(query[:-1])
        elif event.is_printable and event.character:
            self._look_for(query + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted words are looked for as well."""
        if self.home.query is not None:
            self._look_for(self.home.query + event.text.split("\n")[0])

    def _look_for(self, query: str) -> None:
        from tour.lesson.search import search

        self.show(query=query, found=search(query, self.lang), pick=0, notice="")

    # the mouse

    def on_sheet_pointed(self, message: Sheet.Pointed) -> None:
        """A target of the canvas was clicked."""
        name, _, value = message.action.partition(":")
        act = _POINTED.get(name)
        if act:
            act(self, value)

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self.action_move(-1)


def _point_lesson(screen: HomeScreen, lesson_id: str) -> None:
    """The first click chooses, the second opens."""
    if screen.home.cursor == lesson_id:
        screen.action_open()
    else:
        screen._at(lesson_id)


def _point_step(screen: HomeScreen, index: str) -> None:
    screen.show(step=int(index), notice="")


def _press(screen: HomeScreen, key: str) -> None:
    screen.app.call_later(screen.app.simulate_key, key)


_POINTED: dict[str, Callable[[HomeScreen, str], None]] = {
    "lesson": _point_lesson,
    "step": _point_step,
    "found": lambda screen, value: screen._open_found(int(value)),
    "key": _press,
    "card": lambda screen, value: screen.action_close() if value == "close" else None,
}
