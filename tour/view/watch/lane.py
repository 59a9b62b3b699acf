"""The time-lane: from look to look (or, while it runs, from second to second) what driver, device and network did."""

from __future__ import annotations

from tour.agent.watch_moment import SECOND, Lap
from tour.view.area import Area
from tour.view.text import cut
from tour.view.watch.look import Look, bits, brief

COLUMNS = ("driver", "device", "network")
TIME = 10
BAR = 18
ROOMY = 96
ROOM = 24


def draw(area: Area, look: Look) -> None:
    """Heads, then the last laps that fit, newest last."""
    bar = BAR if area.w >= ROOMY else 0
    step = (area.w - TIME - bar) // 3
    for index, name in enumerate(COLUMNS):
        area.put(TIME + index * step, 0, cut(look.say(f"lane.{name}"), step - 1), name)
    laps = look.moment.laps[-(area.h - 1) :] if area.h > 1 else ()
    if not laps:
        area.put(TIME, 1, look.say("lane.none"), "dim", limit=area.w - TIME)
    most = max((lap.returned for lap in laps), default=0)
    for y, lap in enumerate(laps, 1):
        _lap(area, y, look, lap, step)
        if bar and most:
            area.put(area.w - bar, y, "=" * round(lap.returned * (bar - 2) / most), "device")


def _lap(area: Area, y: int, look: Look, lap: Lap, step: int) -> None:
    area.right(y, f"{max(0, lap.t - look.moment.t_first) / SECOND:+.2f}", "dim", end=TIME - 2)
    whole = 10_000 if step >= ROOM else 1000
    published = look.say("lane.published", n=brief(lap.published, whole))
    returned = look.say("lane.returned", n=brief(lap.returned, whole))
    driver = [published, look.say("lane.kicks", n=brief(lap.kicks, whole)) if lap.kicks else ""]
    device = [returned, look.say("lane.calls", n=brief(lap.calls, whole)) if lap.calls else "",
              look.say("lane.turns", n=brief(lap.turns, whole)) if lap.turns and step >= ROOM else ""]  # fmt: skip
    seconds = look.moment.lap_seconds
    network = [look.say("lane.packets", n=brief(lap.packets, whole)) if lap.packets is not None else "-",
               bits(8 * lap.bytes / seconds) if seconds and lap.bytes else ""]  # fmt: skip
    for index, (parts, style) in enumerate(zip((driver, device, network), COLUMNS, strict=True)):
        idle = not any(char in "123456789" for char in parts[0])
        text = "  ".join(filter(None, parts))
        area.put(TIME + index * step, y, cut(text, step - 1), "dim" if idle else style)
