"""Canvas rows to Textual's strips, in the colours of a theme of ``tour.view.themes``."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tour.view.canvas import Canvas, Span, width_of
from tour.view.themes import Look, Theme


class Painter:
    """One theme's styles, each made once."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._styles: dict[str, Style] = {}

    def style(self, name: str) -> Style:
        """The rich style of a canvas style name."""
        found = self._styles.get(name)
        if found is None:
            found = self._styles[name] = _rich(self.theme.look(name))
        return found

    def rows(self, canvas: Canvas) -> list[Strip]:
        """Every row of the canvas."""
        return [self._row(spans, canvas.width) for spans in canvas.rows()]

    def _row(self, spans: list[Span], width: int) -> Strip:
        return Strip([Segment(span.text, self.style(span.style)) for span in spans], width)

    def stamp(self, strip: Strip, middle: int, text: str, style: str) -> Strip:
        """``text`` laid over the row around cell ``middle``, moved inside where it would stick out."""
        width = strip.cell_length
        room = width_of(text)
        x = min(max(0, middle - room // 2), max(0, width - room))
        glyph = Strip([Segment(text, self.style(style))], room)
        return Strip.join([strip.crop(0, x), glyph, strip.crop(x + room)]).crop(0, width)


def _rich(look: Look) -> Style:
    return Style(
        color=look.fg or None,
        bgcolor=look.bg or None,
        bold=look.bold or None,
        italic=look.italic or None,
        reverse=look.reverse or None,
        underline=look.underline or None,
        strike=look.strike or None,
    )
