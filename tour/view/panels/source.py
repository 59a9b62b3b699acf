"""The line that ran. For a device that is looked at: its C function, which is not stepped, never a line of ours."""

from __future__ import annotations

from tour.trace import events as ev
from tour.view.area import Area, View, observes
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows

UNTOLD = (ev.Snapshot, ev.Call, ev.Packet, ev.Count, ev.Write)
KERNEL_FILE = "drivers/vhost/net.c"
ENGINE_FUNCTIONS = {"handle_rx()": "vt_turn_rx(), csrc/rx.h", "handle_tx()": "vt_turn_tx(), csrc/tx.h"}


def rows(view: View, w: int) -> list[Row]:
    """Where and what; or the sentence that there is none."""
    last = view.state.last
    if last is None:
        return plain_rows(view.tr("source.none"), w, "dim")
    ran = _ours(view, last)
    found: list[Row] = [[Piece(0, ran.where, "dim")], *plain_rows(f"> {ran.code}", w, "code+step")] if ran else []
    if view.looked_at and last.source == "observer" and isinstance(last.data, UNTOLD):
        found += _untold(view, w)
    return found or plain_rows(view.tr("source.none"), w, "dim")


def _ours(view: View, last: ev.Event) -> ev.Event | None:
    """The newest event with a line of ours: the last one, else one of this step."""
    if last.code and not observes(last):
        return last
    began = view.moment.before.seq
    return next((one for one in reversed(view.state.log) if one.code and one.seq > began and not observes(one)), None)


def _untold(view: View, w: int) -> list[Row]:
    hello, last = view.state.hello, view.state.last
    queue = getattr(last.data, "queue", None) if last else None
    incoming = isinstance(last.data, ev.Packet) and last.data.direction == "in" if last else False
    incoming = incoming and view.state.rx.backend is not None  # else the frame waits at the port
    function = "handle_rx()" if queue == 0 or incoming else "handle_tx()"
    if hello is not None and hello.ran_on == "engine":
        names = ENGINE_FUNCTIONS[function]
        return [*plain_rows(names, w, "code"), *plain_rows(view.tr("source.engine"), w, "dim")]
    version = ".".join((hello.kernel if hello else "").split(".")[:2])
    return [
        *plain_rows(f"{function}, {KERNEL_FILE}@{version}", w, "code"), *plain_rows(view.tr("source.kernel"), w, "dim")
    ]  # fmt: skip


def draw(area: Area, view: View) -> None:
    """As a panel: the last line that ran, then the lines of the events before it."""
    found = rows(view, area.w)
    shown = _ours(view, view.state.last) if view.state.last else None
    earlier = [one for one in reversed(view.state.log) if one.code and one is not shown and not observes(one)]
    for event in earlier[: max(0, area.h - len(found))]:
        found.append([Piece(0, event.where, "dim"), Piece(28, event.code, "code")])
    draw_rows(area, found, view.ui.scroll.get("source", 0))
