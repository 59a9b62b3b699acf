"""The time-lane: the last events as rows, a column an actor, arrows where something went from one to another."""

from __future__ import annotations

from typing import Any

from tour.trace import events as ev
from tour.trace.state import Frame, State
from tour.view.area import Area, View, observes
from tour.view.panels.log import queue_name
from tour.view.say import detail_words, place_words
from tour.view.text import cut

COLUMNS = ("control", "driver", "device", "network")
ARROWS = {"Ioctl": ("control", "device"), "Kick": ("driver", "device"), "Call": ("device", "driver")}


def draw(area: Area, view: View) -> None:
    """Heads, then the newest events that fit, newest last."""
    step = (area.w - 8) // 4
    for index, name in enumerate(COLUMNS):
        area.put(8 + index * step, 0, cut(view.tr(f"lane.{name}"), step - 1), name)
    items = entries(view.state)[-(area.h - 1) :] if area.h > 1 else []
    for y, item in enumerate(items, 1):
        _row(area, y, view, item, step)


def entries(state: State) -> list[ev.Event | Frame]:
    """Logged events, calls made only to look left out, and frames, in order."""
    items: list[ev.Event | Frame] = [*(event for event in state.log if not observes(event)), *state.frames]
    return sorted(items, key=lambda item: item.seq)


def _row(area: Area, y: int, view: View, item: ev.Event | Frame, step: int) -> None:
    now = view.state.last is not None and item.seq == view.state.last.seq
    area.put(0, y, str(item.seq + 1), "key" if now else "dim", limit=6)
    if isinstance(item, Frame):
        _frame(area, y, view, item, step, now)
        return
    column = COLUMNS.index(item.actor) if item.actor in COLUMNS else 0
    text = ("~" if item.inferred else "") + short(item)
    style = f"{item.actor}+now" if now else item.actor
    ends = ARROWS.get(type(item.data).__name__)
    if ends is None:
        area.put(8 + column * step, y, cut(text, area.w - 8 - column * step), style)
        return
    _arrow(area, y, text, style, COLUMNS.index(ends[0]), COLUMNS.index(ends[1]), step)


def _arrow(area: Area, y: int, text: str, style: str, start: int, end: int, step: int) -> None:
    """Text in the column it left from, a line to the column it reached."""
    if start < end:
        x = area.put(8 + start * step, y, cut(text, (end - start) * step - 5), style)
        stop = 8 + end * step - 2
        area.put(x + 1, y, "─" * max(0, stop - x - 1) + "→", style.partition("+")[0])
        return
    x = 8 + start * step
    area.put(x, y, cut(text, step - 1), style)
    area.put(8 + end * step + 2, y, "←" + "─" * max(0, x - 8 - end * step - 4), style.partition("+")[0])


def _frame(area: Area, y: int, view: View, item: Frame, step: int, now: bool) -> None:
    where = place_words(view.state, item.where, view.lang)
    text = view.tr("lane.frame", n=len(item.frame) // 2, where=where)
    style = "network+now" if now else "network"
    x = 8 + 3 * step
    area.put(x, y, cut(text, area.w - x), style)
    arrow = "─→" if item.direction == "out" else "←─"
    area.put(x - 3, y, arrow, "network")


def short(event: ev.Event) -> str:
    """An event in a few words, the same in both languages: names and numbers."""
    data: Any = event.data
    queue = queue_name(data.queue) if getattr(data, "queue", None) is not None else ""
    return _short(type(data).__name__, data, queue)


def refused(data: ev.Ioctl | ev.Syscall) -> str:
    """A refused call's errno, which no arrow may hide."""
    return f" = {data.errno}" if data.errno else ""


def _short(kind: str, data: Any, queue: str) -> str:
    match kind:
        case "Ioctl":
            return f"{data.name.removeprefix('VHOST_')} {detail_words(data.arg)}".rstrip() + refused(data)
        case "Syscall":
            return f"{data.name}(){refused(data)}"
        case "Store":
            values = ", ".join(f"{value:#x}" if value > 0xFFFF else str(value) for value in data.new)
            return f"{queue}.{data.field} = {values}"
        case "Write":
            return f"{data.what} -> {data.gpa:#x}"
        case "Kick" | "Call":
            return f"{queue} {kind.lower()}"
        case "Drain":
            return f"{queue} call read"
        case "Action":
            return f"{queue} {data.verb} {detail_words(data.detail)}".rstrip()
        case "Exit":
            return f"KVM_RUN -> {data.reason}"
        case "Snapshot":
            return f"{queue}.used.idx {data.used_idx}"
        case _:
            return kind.lower()
