"""The whole screen of watching on one canvas: what the terminal shows, pictures export and tests compare."""

from __future__ import annotations

from collections.abc import Callable

from tour.agent.watch_moment import WatchMoment
from tour.view.area import Area
from tour.view.canvas import Canvas
from tour.view.screen import MIN_HEIGHT, MIN_WIDTH, WIDE_HEIGHT, WIDE_WIDTH
from tour.view.text import wrap
from tour.view.ui import Ui
from tour.view.watch import descriptors, head, keys, lane, memory, messages, packet, rates, ring, timeline, who
from tour.view.watch.look import PANELS, Look

RING_ROWS = 8
RIGHT_LEAST = 50
DRAWERS: dict[str, Callable[[Area, Look], None]] = {
    "ring": ring.draw, "descriptors": descriptors.draw, "packet": packet.draw, "messages": messages.draw,
    "memory": memory.draw, "lane": lane.draw,
}  # fmt: skip


def compose(moment: WatchMoment, ui: Ui, width: int, height: int) -> Canvas:
    """The screen for ``moment`` at ``width`` x ``height`` cells; below 80x24 a sentence that says so.

    From 118x30 on there are two columns with all panels; below, one column with tabs.
    """
    canvas = Canvas(width, height, ascii_only=ui.ascii_only)
    wide = width >= WIDE_WIDTH and height >= WIDE_HEIGHT
    look = Look(moment, ui, wide=wide)
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        for y, line in enumerate(wrap(look.say("small", width=width, height=height), max(4, width))):
            canvas.put(0, y, line, "warn")
        return canvas
    head.draw(Area(canvas, 0, 0, width, 2), look)
    (_wide if wide else _narrow)(canvas, look, width, height)
    timeline.draw(Area(canvas, 0, height - 2, width, 1), look)
    keys.draw(Area(canvas, 0, height - 1, width, 1), look)
    return canvas


def _section(canvas: Canvas, x: int, y: int, w: int, title: str, style: str = "head") -> int:
    canvas.hline(x, y, w)
    canvas.put(x + 2, y, f" {title} ", style, limit=w - 4)
    return y + 1


def _title(look: Look, name: str) -> str:
    return packet.title(look) if name == "packet" else look.say(f"title.{name}")


def _narrow(canvas: Canvas, look: Look, w: int, h: int) -> None:
    """One column: who, indices, rates, the panel in front."""
    last = h - 3
    canvas.vline(0, 2, last - 1)
    canvas.vline(w - 1, 2, last - 1)
    y = _upper(canvas, look, 0, 2, w)
    y = _section(canvas, 0, y, w, _title(look, look.panel), "title")
    DRAWERS[look.panel](Area(canvas, 2, y, w - 4, last - y), look)
    _tabs(canvas, look, last, w)


def _upper(canvas: Canvas, look: Look, x: int, y: int, w: int) -> int:
    """Who, the queue's indices, rates; returns the row below."""
    y = _section(canvas, x, y, w, look.tr("title.who"))
    who.draw(Area(canvas, x + 1, y, w - 2, 2), look)
    canvas.hline(x, y + 2, w)
    ring.draw_title(Area(canvas, x, y + 2, w, 1), 0, look)
    ring.draw_indices(Area(canvas, x + 1, y + 3, w - 2, 2), look)
    y = _section(canvas, x, y + 5, w, look.say("title.rates"))
    rates.draw(Area(canvas, x + 2, y, w - 4, 2), look)
    return y + 2


def _tabs(canvas: Canvas, look: Look, y: int, w: int) -> None:
    canvas.hline(0, y, w)
    x = 2
    for name in PANELS:
        words = look.say(f"tab.{name}")
        here = name == look.panel
        end = canvas.put(x, y, f" [{words}]" if here else f"  {words}", "title" if here else "tab")
        canvas.hit(f"panel:{name}", x + 1, y, end - x)
        x = end
    canvas.put(x, y, " ", "tab")


def _wide(canvas: Canvas, look: Look, w: int, h: int) -> None:
    """Two columns: the queue and its packets at the left, what was told and when at the right."""
    split = max(78, w - max(RIGHT_LEAST, w * 3 // 8))
    last = h - 3
    for x in (0, split, w - 1):
        canvas.vline(x, 2, last - 1)
    y = _upper(canvas, look, 0, 2, split + 1)
    left = last - y
    shares = (RING_ROWS, min(14, (left - RING_ROWS - 3) // 2), 0)
    for name, rows in zip(("ring", "descriptors", "packet"), shares, strict=True):
        y = _section(canvas, 0, y, split + 1, _title(look, name))
        rows = rows or last - y
        DRAWERS[name](Area(canvas, 2, y, split - 3, rows), look)
        y += rows
    right, room = w - split, last - 2
    table = len(look.state.table or ())
    memory_rows = min(max(4, table + 4), room // 3)
    message_rows = (room - memory_rows - 3) // 2
    y = 2
    for name, rows in (("memory", memory_rows), ("messages", message_rows), ("lane", 0)):
        y = _section(canvas, split, y, right, _title(look, name))
        rows = rows or last - y
        DRAWERS[name](Area(canvas, split + 2, y, right - 3, rows), look)
        y += rows
    canvas.hline(0, last, w)
