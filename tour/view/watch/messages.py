"""vhost-user messages as they came, newest last; what was refused says why."""

from __future__ import annotations

from tour.agent.watch_moment import SECOND
from tour.i18n import local
from tour.trace import events as ev
from tour.view.area import Area
from tour.view.say import detail_words
from tour.view.text import cut
from tour.view.watch.look import Look

PREFIX = "VHOST_USER_"


def draw(area: Area, look: Look) -> None:
    """The last that fit."""
    told = [event for event in look.state.log if isinstance(event.data, ev.Message)]
    if not told:
        look.tell(area, "messages.outside" if look.outside else "messages.none")
        return
    scroll = max(0, min(look.ui.scroll.get("messages", 0), len(told) - area.h))
    shown = told[-area.h - scroll : len(told) - scroll]
    for y, event in enumerate(shown):
        _line(area, y, look, event, event is look.state.last)


def _line(area: Area, y: int, look: Look, event: ev.Event, now: bool) -> None:
    data = event.data
    assert isinstance(data, ev.Message)
    area.right(y, f"{(event.t - look.moment.t_first) / SECOND:+.2f}", "dim", end=8)
    bad = data.result != 0
    style = "bad" if bad else "control"
    name = data.name.removeprefix(PREFIX) or look.say("messages.bytes")
    x = area.put(9, y, name, f"{style}+now" if now else style)
    parts = [_detail(data), look.say("messages.fds", n=data.fds) if data.fds else "", _answer(look, data)]
    area.put(x + 1, y, cut("  ".join(filter(None, parts)), area.w - x - 1), "bad" if bad else "text")


def _detail(data: ev.Message) -> str:
    return detail_words({name: value for name, value in data.arg.items() if value is not False})


def _answer(look: Look, data: ev.Message) -> str:
    if data.result == 0:
        return f"-> {detail_words(data.out)}" if data.replied and data.out else ""
    return look.say("messages.refused", why=data.errno or local(look.lang, data.fault))
