"""The last row: which keys do what just now."""

from __future__ import annotations

from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.head import FIRST_MINUTES


def draw(area: Area, view: View) -> None:
    """As many keys as fit, each a mouse target; help and the palette are always kept."""
    keys = _keys(view)
    gap = 4 if view.wide else 2
    tail = [("?", "help", "question_mark"), ("^p", "all", "ctrl+p")]  # always kept
    room = area.w - 2 - sum(_width(view, key) + gap for key in tail)
    x = 1
    for key in keys:
        if x + _width(view, key) > room + 1:
            break
        x = _key(area, x, view, key) + gap
    for key in tail:
        x = _key(area, x, view, key) + gap


def _width(view: View, key: tuple[str, str, str]) -> int:
    return width_of(key[0]) + 1 + width_of(view.tr(f"key.{key[1]}"))


def _key(area: Area, x: int, view: View, key: tuple[str, str, str]) -> int:
    shown, label, action = key
    end = area.put(x, 0, shown, "key")
    end = area.put(end + 1, 0, view.tr(f"key.{label}"), "dim")
    area.hit(f"key:{action}", x, 0, end - x)
    return end


def _keys(view: View) -> list[tuple[str, str, str]]:
    moment = view.moment
    asked = moment.prediction if moment.phase == "predict" else None
    keys: list[tuple[str, str, str]] = []
    if asked and not asked.settled:
        first, last = view.ui.choice_mark(0), view.ui.choice_mark(len(asked.choices) - 1)
        keys.append((f"{first}-{last}", "answer", first))
    if moment.badge.kind == "ended":
        keys += [("r", "again", "r")]
    elif moment.badge.kind == "back":
        keys += [("End", "live", "end")]
    else:
        keys += [("Enter", "on" if moment.phase not in ("predict", "do") else "enter", "enter")]
    keys += [("←", "back", "left"), ("→", "forward", "right")]
    if moment.lesson == FIRST_MINUTES:
        return [*keys, ("L", "language", "L"), ("q", "quit", "q")]
    if view.wide:
        keys += [("space", "pause" if view.ui.playing else "play", "space")]
        keys += [(f"[ ] x{view.ui.speed:g}" if view.ui.playing else "[ ]", "speed", "right_square_bracket")]
        keys += [
            ("f", "fork", "f"),
            ("Tab", "panel", "tab"),
            ("y", "copy", "y"),
            ("x", "code", "x"),
            ("d", "more", "d"),
        ]
        return [*keys, ("t", "theme", "t"), ("L", "language", "L"), ("q", "quit", "q")]
    return [*keys, ("Tab", "panel", "tab"), ("f", "fork", "f")]
