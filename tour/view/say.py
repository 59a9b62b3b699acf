"""What every teller of a sentence needs: the event, the state after it, the language."""

from __future__ import annotations

from typing import Any

from tour.i18n import Lang
from tour.trace import events as ev
from tour.trace.state import Ring, State
from tour.view.text import tr


class Say:
    """Fills in ``view.say.*`` strings; ``{who}`` is the event's actor."""

    def __init__(self, event: ev.Event, state: State, lang: Lang) -> None:
        self.event = event
        self.state = state
        self.lang: Lang = lang

    def __call__(self, key: str, /, **values: Any) -> str:
        """The string ``view.say.<key>``."""
        who = tr(self.lang, f"say.who.{self.event.actor}")
        return tr(self.lang, f"say.{key}", who=who, **values)

    def raw(self, key: str, /, **values: Any) -> str:
        """The string ``view.<key>``."""
        return tr(self.lang, key, **values)

    def queue(self, queue: int) -> str:
        """TX, RX, of further pairs TX1 and so on, or a number there is no queue of."""
        ring = self.ring(queue)
        return ring.name.upper() if ring else str(queue)

    def ring(self, queue: int) -> Ring | None:
        """The ring in the state after the event."""
        return self.state.rings[queue] if 0 <= queue < len(self.state.rings) else None

    def only(self, key: str) -> bool:
        """Whether this event is the state's last and changed nothing but ``key``."""
        return self.state.last is self.event and self.state.changed == frozenset({key})


def size_words(size: int) -> str:
    """Bytes as KiB or MiB where that is exact."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def detail_words(arg: dict[str, Any]) -> str:
    """A decoded argument: ``{index 1, fd 8}``; words and large numbers in hexadecimal, lists by their length."""
    return "{" + ", ".join(f"{key} {_value(value, key == WORD)}" for key, value in arg.items()) + "}" if arg else ""


WORD = "features"
"""The name of an argument that is a word of bits."""


def _value(value: Any, word: bool) -> str:
    if isinstance(value, list | tuple | dict):
        return str(len(value))
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:#x}" if word or value > 0xFFFF else str(value)


def place_words(state: State, where: str, lang: Lang) -> str:
    """Where a frame was seen: our observer sits at the tap, or at the socketpair or the packet socket's link."""
    if where == "tap" and state.hello is not None and state.hello.net == "socketpair":
        return tr(lang, "who.socketpair")
    if where == "tap" and state.peer.name and "tap" not in state.peer.name:
        return tr(lang, "lane.port")
    return tr(lang, f"lane.{where}") if where in ("tap", "port") else where
