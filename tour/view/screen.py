"""The whole lesson screen on one canvas: what the terminal shows, the site exports and tests compare."""

from __future__ import annotations

from tour.lesson.moment import Moment
from tour.view.canvas import Canvas
from tour.view.ui import Ui

MIN_WIDTH, MIN_HEIGHT = 80, 24


def compose(moment: Moment, ui: Ui, width: int, height: int) -> Canvas:
    """The lesson screen for ``moment`` at ``width`` x ``height`` cells; below 80x24 a sentence that says so."""
    canvas = Canvas(width, height, ascii_only=ui.ascii_only)
    canvas.put(1, 0, moment.title, "title")
    canvas.put(1, 2, moment.text)
    return canvas
