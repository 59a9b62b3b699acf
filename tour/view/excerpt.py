"""Some panels of a moment, one below another, as a picture of their own: for pages that explain one thing."""

from __future__ import annotations

from tour.lesson.moment import Moment
from tour.view import wide
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.panels import queue, who
from tour.view.ui import Ui

RINGS = {"rx": 0, "tx": 1}


def excerpt(moment: Moment, names: tuple[str, ...], width: int) -> Canvas:
    """The panels ``names`` (``who``, ``tx``, ``rx``, ``memory``, ``vhost``, ``features``, ``figures`` and what else
    the wide screen has) at ``width`` cells, as high as they are. Raises KeyError for one that has nothing to show."""
    view = View(moment, Ui(), wide=True)
    offered = wide.offered(view, width - 3)
    blocks = [_block(view, name) or offered[name] for name in names]
    height = sum(block.rows + 1 for block in blocks) + 1
    canvas = Canvas(width, height)
    for x in (0, width - 1):
        canvas.vline(x, 0, height)
    wide.stack(canvas, 0, width, 0, height - 1, blocks)
    canvas.hline(0, height - 1, width)
    return canvas


def _block(view: View, name: str) -> wide.Block | None:
    """Those whose place or title on the wide screen is not the one of an excerpt."""
    if name == "who":
        return wide.Block(who.height(view), wide.named(view.tr("title.who")), lambda area: who.draw(area, view))
    if name in RINGS:
        return _queue(view, RINGS[name])
    return None


def _queue(view: View, index: int) -> wide.Block:
    ring = view.state.rings[index]

    def title(canvas: Canvas, x: int, y: int) -> None:
        queue.title(canvas, x, y, view, ring, canvas.width - 1)

    def draw(area: Area) -> None:
        queue.draw(area, view, ring)

    return wide.Block(wide.QUEUE_ROWS, title, draw)
