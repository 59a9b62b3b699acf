"""The one widget that shows a lesson: its canvas, and what moves over it."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tour.lesson.moment import Moment
from tour.tui.film import Film, Shot
from tour.tui.sheet import Sheet
from tour.view.canvas import Canvas
from tour.view.motion import Travel, where
from tour.view.themes import Theme
from tour.view.ui import Ui

FRAME_SECONDS = 1 / 30
"""Between two positions of a moving thing; no timer runs while nothing moves."""

Glyph = tuple[int, int, str, str]
"""Column, row, text and style of what is on its way."""

Compose = Callable[[Moment, Ui, int, int], Canvas]


class Stage(Sheet):
    """Draws moments. ``show`` draws one at once, ``play`` after its travels have been seen."""

    class Painted(Message):
        """A moment is complete on the screen: nothing is on its way any more."""

    def __init__(self, compose: Compose, theme: Theme, moment: Moment, ui: Ui) -> None:
        super().__init__(theme)
        self._compose_canvas = compose
        self.moment = moment
        self.ui = ui
        self.film: Film[Moment] = Film()
        self._glyph: Glyph | None = None
        self._timer: Timer | None = None

    def show(self, moment: Moment | None = None, ui: Ui | None = None) -> None:
        """Draw at once, with ``card`` on top; whatever was on its way has arrived."""
        cut = self.film.cut()
        self._stop()
        self._draw(moment or cut or self.moment, ui or self.ui)
        self.post_message(self.Painted())

    def play(self, moment: Moment, travels: tuple[Travel, ...]) -> None:
        """Let ``travels`` be seen over the present picture, then draw ``moment``."""
        self.film.add(Shot(travels, moment), time.monotonic())
        if self._timer is None:
            self._timer = self.set_interval(FRAME_SECONDS, self._advance)
        self._advance()

    @property
    def moving(self) -> bool:
        """Whether something is on its way."""
        return self.film.running

    def _draw(self, moment: Moment, ui: Ui) -> None:
        self.moment, self.ui = moment, ui
        width, height = self.size
        if not width or not height:
            return
        self.paint(self._compose_canvas(moment, ui, width, height))

    def _advance(self) -> None:
        now = time.monotonic()
        after = self.film.due(now)
        if after is not None:
            self._draw(after, self.ui)
        self._skip_unseen(now)
        frame = self.film.frame(now)
        if frame is None:
            self._stop()
            self.post_message(self.Painted())
            return
        cell = where(frame.travel, self.canvas.anchors, frame.progress)
        self._move((*cell, frame.travel.at(frame.progress), frame.travel.style) if cell else None)

    def _skip_unseen(self, now: float) -> None:
        """A shot whose places this picture does not show costs no time."""
        while self.film.running and not any(where(one, self.canvas.anchors, 0.0) for one in self.film.travels):
            after = self.film.skip(now)
            if after is not None:
                self._draw(after, self.ui)

    def _move(self, glyph: Glyph | None) -> None:
        if glyph == self._glyph:
            return
        touched = {place[1] for place in (self._glyph, glyph) if place}
        self._glyph = glyph
        self.refresh_rows(sorted(touched))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._move(None)

    def render_line(self, y: int) -> Strip:
        """Textual asks for row ``y``."""
        strip = super().render_line(y)
        if self._glyph and self._glyph[1] == y:
            x, _, text, style = self._glyph
            strip = self.painter.stamp(strip, x, text, f"{style}+now")
        return strip

    def redraw(self) -> None:
        """Draw for the new size."""
        self.show()
