"""The screen of ``tour watch``: what a spectator sees, painted at most ten times a second and less when the cores are
busy, and the keys that look back, record and slow the device down."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from msgspec.structs import replace
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from tour.agent.session import Item
from tour.agent.watching import Spectator
from tour.errors import AgentLost, TourError
from tour.i18n import Lang, t
from tour.tui.card import Card
from tour.tui.cards import error_card
from tour.tui.inbox import Inbox
from tour.tui.keys import Key, bindings
from tour.tui.leaving import crash_words
from tour.tui.options import Options
from tour.tui.page import Page
from tour.tui.palette import CSS, commands, filters, textual_theme
from tour.tui.sheet import Sheet
from tour.tui.watch_pace import PaintPace
from tour.view.themes import THEMES, Theme
from tour.view.ui import Ui
from tour.view.watch.look import PANELS
from tour.view.watch.screen import compose

NICE = 10
REPLAY_SECONDS = 0.1


class WatchKey(Key):
    """A key of watching; its words are of watching's own table."""

    def words(self, lang: Lang) -> str:
        """What it does."""
        return t(lang, f"watch.keys.{self.id}")


KEYS: tuple[Key, ...] = (
    WatchKey("enter", "enter", "release"),
    WatchKey("pause", "space", "pause"),
    WatchKey("back", "left,p", "back"),
    WatchKey("forward", "right,n", "forward"),
    WatchKey("earlier", "pageup", "seconds(-5)"),
    WatchKey("later", "pagedown", "seconds(5)"),
    WatchKey("first", "home", "first"),
    WatchKey("live", "end", "live"),
    WatchKey("queue", "right_square_bracket", "queue(1)"),
    WatchKey("queue_back", "left_square_bracket", "queue(-1)"),
    WatchKey("panel", "tab", "panel(1)"),
    WatchKey("panel_back", "shift+tab", "panel(-1)"),
    WatchKey("scroll_up", "up", "scroll(-1)"),
    WatchKey("scroll_down", "down", "scroll(1)"),
    WatchKey("record", "r", "record"),
    WatchKey("slow", "s", "slow"),
    WatchKey("copy", "y", "copy"),
    WatchKey("language", "L", "language"),
    WatchKey("theme", "t", "theme"),
    WatchKey("help", "question_mark,f1", "help"),
    WatchKey("close", "escape", "close", listed=False),
    WatchKey("quit", "q,ctrl+q", "leave"),
    WatchKey("interrupt", "ctrl+c", "interrupt", listed=False),
)


class WatchScreen(Page):
    """What every key does."""

    BINDINGS: ClassVar[list[Binding]] = bindings(KEYS)  # type: ignore[assignment]

    def __init__(self, spectator: Spectator, options: Options) -> None:
        super().__init__(options)
        self.spectator = spectator
        self.ui = Ui(glyphs=options.glyphs)
        self._sheet = Sheet(THEMES[options.theme])
        self._pace = PaintPace()
        self._later: Timer | None = None

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self._sheet

    def on_mount(self) -> None:
        """What moves by itself even when nothing comes: a recording, the time since."""
        self.set_interval(REPLAY_SECONDS if self.spectator.replay else 1.0, self._tick)
        if self.spectator.replay:
            self.spectator.toggle()

    @property
    def lang(self) -> Lang:
        """Language of all words."""
        return self.spectator.lang

    @property
    def sheet(self) -> Sheet:
        """The widget."""
        return self._sheet

    # painting

    def show(self) -> None:
        """Paint now."""
        if self._later is not None:
            self._later.stop()
            self._later = None
        width, height = self._sheet.size
        if not width or not height:
            return
        began = time.perf_counter()
        self.spectator.tick()
        moment = self.spectator.moment(cpu=self._pace.cpu, paints=self._pace.paints)
        self._sheet.card = self.card
        self._sheet.paint(compose(moment, self.ui, width, height))
        self._pace.painted(time.perf_counter() - began)

    def show_soon(self) -> None:
        """Paint when it is time to, once for all that comes until then; not while the picture stands."""
        if self._later is None and self.spectator.playing:
            self._later = self.set_timer(self._pace.wait, self.show)

    def _tick(self) -> None:
        if self.spectator.playing:
            self.show_soon()

    def on_sheet_resized(self) -> None:
        """Draw for the new size."""
        self.show()

    def tell(self, key: str, **values: str) -> None:
        """Show a one-line notice until the next key."""
        self.spectator.notice = t(self.lang, key, **values)
        self.show()

    def put_card(self, card: Card | None) -> None:
        """Lay a card on the table, or take it away."""
        self.card = card
        self.show()

    def trouble(self, error: TourError) -> None:
        """Say what went wrong; all that was seen stays."""
        self.put_card(error_card(self.lang, error))

    # keys

    def _do(self, act: Any, *args: Any) -> Any:
        """One wish of the person."""
        self.spectator.notice = ""
        done = None
        try:
            done = act(*args)
        except TourError as error:
            self.trouble(error)
        self.show()
        return done

    def action_pause(self) -> None:
        """The picture stands, or goes on."""
        self._do(self.spectator.toggle)

    def action_back(self) -> None:
        """One sample back."""
        self._do(self.spectator.back)

    def action_forward(self) -> None:
        """One sample on."""
        self._do(self.spectator.forward)

    def action_seconds(self, by: int) -> None:
        """Some seconds back or on."""
        self._do(self.spectator.seconds, by)

    def action_first(self) -> None:
        """The earliest."""
        self._do(self.spectator.first)

    def action_live(self) -> None:
        """Now."""
        self._do(self.spectator.live)

    def action_queue(self, by: int) -> None:
        """Another queue."""
        self._do(self.spectator.choose, self.spectator.queue + by)

    def action_panel(self, by: int) -> None:
        """Another panel to the front."""
        now = self.ui.panel or PANELS[0]
        self.ui = replace(self.ui, panel=PANELS[(PANELS.index(now) + by) % len(PANELS)])
        self._do(lambda: None)

    def action_scroll(self, by: int) -> None:
        """The card, or the panel in front."""
        if self.card is not None:
            self.put_card(self.card.moved(by))
            return
        panel = self.ui.panel or PANELS[0]
        by = -by if panel == "messages" else by
        rows = min(64, max(0, self.ui.scroll.get(panel, 0) + by))
        self.ui = replace(self.ui, scroll={**self.ui.scroll, panel: rows})
        self._do(lambda: None)

    def action_release(self) -> None:
        """Close a card, or let a held worker take one chain."""
        if self.card is not None:
            self.put_card(None)
        elif not self._do(self.spectator.release):
            self.tell("watch.slow.replay" if self.spectator.replay else "watch.slow.not_held")

    def action_slow(self) -> None:
        """Hold the worker of the queue, or let it go."""
        watching = self.spectator.history.edge.watching
        if self.spectator.replay or (watching is not None and watching.by == "qmp"):
            self.tell("watch.slow.replay" if self.spectator.replay else "watch.slow.outside")
            return
        held = self._do(self.spectator.hold)
        if held is not None:
            name = self.spectator.history.edge.rings[self.spectator.queue].name.upper()
            self.tell("watch.slow.on" if held else "watch.slow.off", queue=name)

    def action_record(self) -> None:
        """Begin or end a recording."""
        if self.spectator.replay:
            self.tell("watch.rec.replay")
            return
        path = self.spectator.recording
        if path:
            self._do(self.spectator.stop_recording)
            self.tell("watch.rec.off", path=path)
        else:
            name = time.strftime("watch-%Y%m%d-%H%M%S.trace.jsonl")
            self._do(self.spectator.record, Path(name))
            if self.spectator.recording:
                self.tell("watch.rec.on", path=name)

    def action_copy(self) -> None:
        """The screen as text, to the clipboard (OSC 52)."""
        self.app.copy_to_clipboard(str(self._sheet.canvas))
        self.tell("tui.copied", panel=t(self.lang, "watch.title"))

    def action_language(self) -> None:
        """English or Chinese."""
        self.spectator.lang = "en" if self.lang == "zh" else "zh"
        self.card = help_card(self.lang) if self.card is not None and self.card.id == "help" else self.card
        self._do(lambda: None)

    def action_help(self) -> None:
        """What there is to see, and every key."""
        closing = self.card is not None and self.card.id == "help"
        self.put_card(None if closing else help_card(self.lang))

    # the mouse

    def on_sheet_pointed(self, message: Sheet.Pointed) -> None:
        """A target of the canvas was clicked."""
        name, _, value = message.action.partition(":")
        if name == "panel":
            self.ui = replace(self.ui, panel=value)
            self._do(lambda: None)
        elif name == "queue":
            self._do(self.spectator.choose, int(value))
        elif name == "seek":
            self._do(self.spectator.seek, float(value))
        elif name == "key":
            self.app.call_later(self.app.simulate_key, value)
        elif message.action == "card:close":
            self.put_card(None)


def help_card(lang: Lang) -> Card:
    """What there is to see, what slow motion means, every key."""
    keys = tuple(f"{key.display:<10} {key.words(lang)}" for key in KEYS if key.listed)
    lines = (t(lang, "watch.help.words"), "", t(lang, "watch.help.slow"), "", t(lang, "watch.help.keys"), *keys)
    return Card("help", t(lang, "watch.help.title"), lines, foot=t(lang, "tui.help.foot"))


class WatchApp(App[None]):
    """One screen; events come from the session's thread through an inbox."""

    ENABLE_COMMAND_PALETTE = True
    TITLE = "vhost-tour"
    CSS = CSS
    BINDINGS: ClassVar[list[Binding]] = []  # type: ignore[assignment]

    class Arrived(Message):
        """Something waits in the inbox."""

    def __init__(self, spectator: Spectator, options: Options) -> None:
        super().__init__()
        self.spectator = spectator
        self.failure: BaseException | None = None
        self._inbox: Inbox[Item] = Inbox(lambda: self.post_message(self.Arrived()))
        self.page = WatchScreen(spectator, options)
        self._use_theme(THEMES[options.theme])

    def _use_theme(self, theme: Theme) -> None:
        self.no_color = theme.mono
        self._filters = filters(self._filters, theme)

    def get_default_screen(self) -> Screen[Any]:
        """The one there is."""
        return self.page

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        return commands(self.page.lang, KEYS, lambda action: self.call_later(self.page.run_action, action))

    def on_mount(self) -> None:
        """Begin to listen."""
        self.spectator.mailbox.attach(self._inbox.put)

    def on_watch_app_arrived(self) -> None:
        """Give the spectator what came, in order."""
        known = self.spectator.error
        for item in self._inbox.take():
            self.spectator.hear(item)
        if self.spectator.error is not None and self.spectator.error is not known:
            self.page.trouble(self.spectator.error)
        elif self.spectator.ended:
            self.page.show()
        else:
            self.page.show_soon()

    def action_command_palette(self) -> None:
        """Every key by its words."""
        if isinstance(self.screen, CommandPalette):
            return
        theme = textual_theme(THEMES[self.page.theme_name])
        self.register_theme(theme)
        self.theme = theme.name
        self.push_screen(CommandPalette(placeholder=t(self.page.lang, "tui.palette")))

    def on_page_themed(self, message: Page.Themed) -> None:
        """Textual's own parts follow the canvas."""
        self._use_theme(message.theme)

    def on_page_leave(self, message: Page.Leave) -> None:
        """Out."""
        self.exit(None, message.code)

    def _handle_exception(self, error: Exception) -> None:
        """A defect of ours: leave the screen; ``run_watch`` says it in one sentence."""
        self.failure = error
        super()._handle_exception(error)
        self._exit_renderables.clear()


def run_watch(spectator: Spectator, options: Options) -> int:
    """Let the spectator be seen on this terminal until the person leaves; a held worker goes on then.

    Returns the exit code: 0, 130 after Ctrl-C, 4 after a defect of ours, told on stderr.
    """
    os.nice(max(0, NICE - os.nice(0)))
    app = WatchApp(spectator, options)
    try:
        app.run()
    except Exception as error:  # noqa: BLE001 - the last net: nobody should meet a traceback
        app.failure = error
    if app.failure is not None:
        print(crash_words(app.failure, app.page.lang), file=sys.stderr)
        return AgentLost.exit_code
    return app.return_code or 0
