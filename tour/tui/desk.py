"""The screen of ``tour exercise check --screen``: the learner's file is checked on every save, beside its ring."""

from __future__ import annotations

import sys
from typing import ClassVar, Protocol

from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.message import Message

from tour.errors import AgentLost, TourError
from tour.i18n import local, t
from tour.tui.leaving import crash_words
from tour.tui.options import Options
from tour.tui.palette import CSS, filters
from tour.tui.sheet import Sheet
from tour.view.desk import Desk, Told, compose
from tour.view.themes import THEMES

LOOK_SECONDS = 0.25
FAR = 1 << 20


class Work(Protocol):
    """The learner's folder, and the judge behind it; ``check`` takes a moment and runs on a thread of its own."""

    title: str
    file: str

    def stamp(self) -> object:
        """Something that differs once the file was saved."""

    def check(self) -> Told:
        """Have it judged. Raises TourError."""

    def hint(self) -> str:
        """The next hint."""

    def close(self) -> None:
        """End the judge."""


class DeskApp(App[int]):
    """One exercise."""

    CSS = CSS
    TITLE = "vhost-tour"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        *(Binding(keys, f"move({by})", show=False) for keys, by in (
            ("left,p,pageup", -1), ("right,n,pagedown", 1), ("home", -FAR), ("end", FAR))),
        Binding("up", "scroll(-1)", show=False), Binding("down", "scroll(1)", show=False),
        Binding("c,enter", "check", show=False), Binding("h", "hint", show=False),
        Binding("q,ctrl+q", "leave(0)", show=False), Binding("ctrl+c", "leave(130)", show=False),
    ]  # fmt: skip

    class Checked(Message):
        """A check is over."""

        def __init__(self, told: Told) -> None:
            super().__init__()
            self.told = told

    def __init__(self, work: Work, options: Options) -> None:
        super().__init__()
        self._work = work
        self.desk = Desk(options.lang, work.title, work.file, ascii_only=options.glyphs == "ascii")
        self.sheet = Sheet(THEMES[options.theme])
        self.no_color = THEMES[options.theme].mono
        self._filters = filters(self._filters, THEMES[options.theme])
        self._seen: object = None
        self.failure: BaseException | None = None

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self.sheet

    def on_mount(self) -> None:
        """Look at the file now and from now on."""
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if not self.desk.busy and self._work.stamp() != self._seen:
            self.action_check()

    def action_check(self) -> None:
        """Have the file judged as it is now."""
        if self.desk.busy:
            return
        self._seen = self._work.stamp()
        self.show(replace(self.desk, busy=True))
        self.run_worker(self._check, thread=True)

    def _check(self) -> None:
        try:
            told = self._work.check()
        except TourError as error:
            told = Told(tuple(local(self.desk.lang, part) for part in (error.what, error.why, error.fix) if part))
        self.post_message(self.Checked(told))

    def on_desk_app_checked(self, message: Checked) -> None:
        """Show what it came to: the ring as it is at the end."""
        self.show(replace(self.desk, told=message.told, busy=False, scroll=0).moved(FAR))

    def action_move(self, by: int) -> None:
        """One access on or back."""
        self.show(self.desk.moved(by))

    def action_scroll(self, by: int) -> None:
        """The text up or down."""
        self.show(self.desk.scrolled(by))

    def action_hint(self) -> None:
        """The next hint above what was told."""
        said = tuple(self._work.hint().splitlines())
        self.show(replace(self.desk, told=replace(self.desk.told, lines=(*said, "", *self.desk.told.lines)), scroll=0))

    def action_leave(self, code: int) -> None:
        """Out."""
        self.exit(None, code)

    def show(self, desk: Desk) -> None:
        """Draw it."""
        self.desk = desk
        width, height = self.sheet.size
        if width and height:
            self.sheet.paint(compose(desk, width, height))

    def on_sheet_resized(self) -> None:
        """For the new size."""
        self.show(self.desk)

    def _handle_exception(self, error: Exception) -> None:
        self.failure = error
        super()._handle_exception(error)
        self._exit_renderables.clear()


def run_desk(work: Work, options: Options) -> int:
    """The exercise on this terminal until the learner leaves; 0, 130 after Ctrl-C, 4 after a defect of ours."""
    app = DeskApp(work, options)
    try:
        app.run()
    except Exception as error:  # noqa: BLE001 - the last net: nobody should meet a traceback
        app.failure = error
    finally:
        work.close()
    if app.failure is not None:
        print(crash_words(app.failure, options.lang), file=sys.stderr)
        return AgentLost.exit_code
    print(t(options.lang, "exercise.desk_left", file=work.file))
    return app.return_code or 0
