"""The memory table as the front end told it, and the features it acknowledged."""

from __future__ import annotations

from tour.abi.vhost_user import PROTOCOL_FEATURES_BIT
from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.features import feature_words
from tour.view.say import size_words
from tour.view.text import cut, wrap
from tour.view.watch.look import Look


def draw(area: Area, look: Look) -> None:
    """A row a region, then the names of the feature bits."""
    table = look.state.table
    if not table:
        look.tell(area, "memory.outside" if look.outside else "memory.none")
    else:
        area.put(0, 0, look.say("memory.head"), "dim", limit=area.w)
    y = 1
    scroll = max(0, min(look.ui.scroll.get("memory", 0), len(table or ()) - 1))
    for index, region in enumerate((table or ())[scroll:], scroll):
        if y >= area.h:
            break
        area.put(0, y, str(index), "control")
        area.put(3, y, f"{region.gpa:#x}..{region.gpa + region.size - 1:#x}", "text", limit=28)
        area.put(29, y, size_words(region.size), "text", limit=11)
        area.put(41, y, f"{region.hva:#x}", "dim")
        y += 1
    word = look.state.features if look.state.features is not None else look.state.driver_features
    if word is not None:
        words = look.say("memory.features", word=f"{word:#x}", names=_names(word))
        lines, room = wrap(words, area.w), max(0, area.h - y)
        for number, line in enumerate(lines[:room], 1):
            area.put(0, y, _unfinished(line, area.w) if number == room < len(lines) else line, "text")
            y += 1


def _names(word: int) -> str:
    """Names of the bits that are set, that of vhost-user's own among them."""
    own = word >> PROTOCOL_FEATURES_BIT & 1
    names = feature_words(word & ~(1 << PROTOCOL_FEATURES_BIT))
    return f"{names}, PROTOCOL_FEATURES" if own else names


def _unfinished(line: str, room: int) -> str:
    """A line that more would follow, which there is no room for."""
    return line + " …" if width_of(line) + 2 <= room else cut(line + "  ", room)
