"""A canvas as a widget: repainted row by row where it changed; a click says which target was meant."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tour.tui import card as cards
from tour.tui.card import Card
from tour.tui.paint import Painter
from tour.view.canvas import Canvas
from tour.view.themes import Theme


class Sheet(Widget, can_focus=True):
    """Shows a canvas with ``card`` on top."""

    DEFAULT_CSS = "Sheet { width: 100%; height: 100%; background: transparent; }"
    ALLOW_SELECT: ClassVar[bool] = False

    class Pointed(Message):
        """A mouse target was clicked; ``action`` is ``Hit.action``."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    class Resized(Message):
        """The terminal has another size: a canvas of that size is wanted."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(id="stage")
        self.painter = Painter(theme)
        self.card: Card | None = None
        self.canvas = Canvas(0, 0)
        self._strips: list[Strip] = []

    def set_theme(self, theme: Theme) -> None:
        """Other colours from the next drawing on."""
        self.painter = Painter(theme)

    def paint(self, canvas: Canvas) -> None:
        """Show ``canvas``, which is as large as the widget."""
        self.canvas = canvas
        if self.card is not None:
            cards.draw(self.card, canvas)
        before, self._strips = self._strips, self.painter.rows(canvas)
        if len(before) != canvas.height:
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._strips, strict=True)) if old != new]
        self.refresh_rows(changed)

    def refresh_rows(self, rows: list[int]) -> None:
        """Have these rows drawn again."""
        if rows:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in rows))

    def render_line(self, y: int) -> Strip:
        """Textual asks for row ``y``."""
        if y >= len(self._strips):
            return Strip.blank(self.size.width, self.painter.style("text"))
        return self._strips[y]

    def on_resize(self) -> None:
        """Nothing of the old size is of use."""
        self._strips = []
        self.redraw()

    def redraw(self) -> None:
        """Have a canvas of the present size made."""
        self.post_message(self.Resized())

    def on_click(self, event: events.Click) -> None:
        """Say which target was meant."""
        if action := self.canvas.action_at(event.x, event.y):
            self.post_message(self.Pointed(action))
