"""Where in time one looks: a line to click on, from the earliest that is kept to now."""

from __future__ import annotations

from tour.agent.watch_moment import SECOND
from tour.view.area import Area
from tour.view.watch.look import Look

SHORTEST = 12


def draw(area: Area, look: Look) -> None:
    """One row: a notice, else when and the line."""
    moment = look.moment
    if moment.notice:
        area.put(1, 0, f"! {moment.notice}", "warn", limit=area.w - 2)
        return
    behind = (moment.t_edge - moment.t) / SECOND
    at, whole = (moment.t - moment.t_first) / SECOND, (moment.t_edge - moment.t_first) / SECOND
    key = (
        "time.live"
        if moment.mode == "live"
        else "time.replay"
        if moment.replay or moment.mode == "ended"
        else "time.back"
    )
    x = area.put(1, 0, look.say(key, at=f"{at:.1f}", whole=f"{whole:.0f}", behind=f"{behind:.1f}"), "dim") + 2
    width = area.w - x - 3
    if width < SHORTEST:
        return
    area.put(x, 0, "─" * width, "frame")
    for column in range(width):
        area.hit(f"seek:{column / (width - 1):.4f}", x + column, 0, 1)
    span = max(1, moment.t_edge - moment.t_first)
    place = x + max(0, min(width - 1, round((moment.t - moment.t_first) * (width - 1) / span)))
    area.put(place, 0, "●", "key")
