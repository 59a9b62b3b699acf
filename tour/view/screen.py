"""The whole lesson screen on one canvas: what the terminal shows, the site exports and tests compare."""

from __future__ import annotations

from tour.lesson.moment import Moment
from tour.view import narrow, wide
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.text import wrap
from tour.view.ui import Ui

MIN_WIDTH, MIN_HEIGHT = 80, 24
WIDE_WIDTH, WIDE_HEIGHT = 118, 30


def compose(moment: Moment, ui: Ui, width: int, height: int) -> Canvas:
    """The lesson screen for ``moment`` at ``width`` x ``height`` cells; below 80x24 a sentence that says so.

    From 118x30 on there are two columns (both queues, the card, memory, packet, log, lane); below, one column
    with tabs, as for a lecture at any size.
    """
    canvas = Canvas(width, height, ascii_only=ui.ascii_only)
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        _too_small(canvas, View(moment, ui, wide=False))
        return canvas
    if width >= WIDE_WIDTH and height >= WIDE_HEIGHT and not ui.lecture:
        wide.draw(canvas, View(moment, ui, wide=True))
    else:
        narrow.draw(canvas, View(moment, ui, wide=False))
    return canvas


def _too_small(canvas: Canvas, view: View) -> None:
    area = Area(canvas, 0, 0, canvas.width, canvas.height)
    text = view.tr("small", width=canvas.width, height=canvas.height, lesson=view.moment.lesson)
    for y, line in enumerate(wrap(text, max(4, canvas.width))):
        area.put(0, y, line, "warn")
