"""The line that ran. For the kernel's device: the kernel's function, which is not stepped, never a line of ours."""

from __future__ import annotations

from tour.trace import events as ev
from tour.view.area import Area, View
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows

BY_KERNEL = (ev.Snapshot, ev.Call, ev.Packet, ev.Count)
KERNEL_FILE = "drivers/vhost/net.c"


def rows(view: View, w: int) -> list[Row]:
    """Where and what, two rows; or the sentence that there is none."""
    last = view.state.last
    if last is None:
        return plain_rows(view.tr("source.none"), w, "dim")
    if view.kernel and last.source == "observer" and isinstance(last.data, BY_KERNEL):
        return _kernel(view, w)
    began = view.moment.before.seq
    ran = last if last.code else next((one for one in reversed(view.state.log) if one.code and one.seq > began), None)
    if ran is None:
        return plain_rows(view.tr("source.none"), w, "dim")
    return [[Piece(0, ran.where, "dim")], [Piece(0, f"> {ran.code}", "code+step")]]


def _kernel(view: View, w: int) -> list[Row]:
    hello, last = view.state.hello, view.state.last
    queue = getattr(last.data, "queue", None) if last else None
    incoming = isinstance(last.data, ev.Packet) and last.data.direction == "in" if last else False
    function = "handle_rx()" if queue == 0 or incoming else "handle_tx()"
    version = ".".join((hello.kernel if hello else "").split(".")[:2])
    place = f"{function}, {KERNEL_FILE}@{version}"
    return [[Piece(0, place, "code")], *plain_rows(view.tr("source.kernel"), w, "dim")]


def draw(area: Area, view: View) -> None:
    """As a panel: the last line that ran, then the lines of the events before it."""
    found = rows(view, area.w)
    earlier = [event for event in reversed(view.state.log) if event.code and event is not view.state.last]
    for event in earlier[: max(0, area.h - len(found))]:
        found.append([Piece(0, event.where, "dim"), Piece(28, event.code, "code")])
    draw_rows(area, found, view.ui.scroll.get("source", 0))
