"""The last row: which keys do what just now."""

from __future__ import annotations

from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.watch.look import Look


def draw(area: Area, look: Look) -> None:
    """As many keys as fit, each a mouse target; help and leaving are always kept."""
    gap = 3 if look.wide else 2
    tail = [("?", "help", "question_mark"), ("q", "quit", "q")]
    room = area.w - 2 - sum(_width(look, key) + gap for key in tail)
    x = 1
    for key in _keys(look):
        if x + _width(look, key) > room + 1:
            break
        x = _key(area, x, look, key) + gap
    for key in tail:
        x = _key(area, x, look, key) + gap


def _width(look: Look, key: tuple[str, str, str]) -> int:
    return width_of(key[0]) + 1 + width_of(look.say(f"key.{key[1]}"))


def _key(area: Area, x: int, look: Look, key: tuple[str, str, str]) -> int:
    shown, label, action = key
    end = area.put(x, 0, shown, "key")
    end = area.put(end + 1, 0, look.say(f"key.{label}"), "dim")
    area.hit(f"key:{action}", x, 0, end - x)
    return end


def _keys(look: Look) -> list[tuple[str, str, str]]:
    moment = look.moment
    keys = [("Enter", "release", "enter"), ("s", "resume", "s")] if moment.queue in moment.held else []
    if moment.replay:
        keys.append(("space", "stand" if moment.playing else "play", "space"))
    elif moment.mode in ("live", "paused"):
        keys.append(("space", "pause" if moment.mode == "live" else "go_on", "space"))
    if moment.mode in ("back", "paused"):
        keys.append(("End", "live", "end"))
    keys += [("←→", "look", "left"), ("[ ]", "queue", "right_square_bracket"), ("Tab", "panel", "tab")]
    if not moment.replay and moment.mode != "ended":
        keys += [("r", "rec_stop" if moment.recording else "rec", "r")]
        keys += [("s", "slow", "s")] if moment.queue not in moment.held and not look.outside else []
    return [*keys, ("L", "language", "L"), ("t", "theme", "t")]
