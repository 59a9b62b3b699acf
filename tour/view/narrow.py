"""One column, from 80x24: who, a panel chosen by tabs, just happened, the story, next."""

from __future__ import annotations

from tour.view import head
from tour.view.area import Area, View
from tour.view.canvas import Canvas, width_of
from tour.view.panels import (
    checks,
    descriptors,
    features,
    figures,
    guest,
    happened,
    keys,
    log,
    memory,
    packet,
    plot,
    queue,
    source,
    story,
    timeline,
    upcoming,
    vhost,
    who,
)
from tour.view.panels.rows import draw_rows

PANEL_FULL = 6
PANEL_LEAST = 4
BRIEF = 2
MORE = "..."
"""At an end of the tabs: there are more than fit."""
TITLES = {
    "memory": "title.memory_short", "source": "title.source", "checks": "title.checks", "vhost": "title.vhost",
    "features": "title.features", "figures": "title.figures", "guest": "title.guest",
    "plot": "title.plot",
}  # fmt: skip
DRAWERS = {
    "memory": memory.draw, "packet": packet.draw, "source": source.draw, "checks": checks.draw, "vhost": vhost.draw,
    "features": features.draw, "figures": figures.draw, "guest": guest.draw, "plot": plot.draw,
}  # fmt: skip


class Plan:
    """How many rows each part gets; the story is served first, the panel gives way.

    ``told`` is what the story wants and how many of its last rows may be scrolled to instead.
    """

    def __init__(self, room: int, panel: int, said: int, told: tuple[int, int], ahead: int, *, chosen: bool) -> None:
        wanted, soft = told
        least = PANEL_LEAST if chosen else 0
        self.ahead = max(1, min(ahead, 1 if room < 20 else 2))
        self.said = max(1, min(said, 2 if room < 18 else 3))
        free = room - 4 - self.ahead - self.said
        if free - wanted + soft >= BRIEF > free - wanted:
            wanted = free - BRIEF
        self.told = min(wanted, free - least) if wanted else 1
        self.panel = free - self.told
        if self.panel < BRIEF:
            self.panel = 0
        self.panel = min(self.panel, panel)
        self.told = free - self.panel
        if not self.panel:
            self.told += 1
        self._say_all(said - self.said, told[0])

    def _say_all(self, missing: int, wanted: int) -> None:
        """The sentence whole, in rows that the story leaves over, else in those of a panel that has many."""
        from_story = max(0, min(missing, self.told - wanted))
        from_panel = max(0, min(missing - from_story, self.panel - PANEL_FULL))
        self.told -= from_story
        self.panel -= from_panel
        self.said += from_story + from_panel


def draw(canvas: Canvas, view: View) -> None:
    """The whole screen."""
    w, h = canvas.width, canvas.height
    top = Area(canvas, 0, 0, w, 2)
    head.title(top, view, head.right_side(top, view, helped=False) - 1, short=True)
    end = head.phases(top, 1, 1, view)
    head.forked(top, end + 3, 1, view)
    _frame(canvas, view, w, h)
    timeline.draw(Area(canvas, 0, h - 2, w, 1), view)
    keys.draw(Area(canvas, 0, h - 1, w, 1), view)


def _frame(canvas: Canvas, view: View, w: int, h: int) -> None:
    inner = w - 4
    people = who.height(view)
    told = story.rows(view, inner, full=h > 30)
    said = happened.rows(view, inner)
    ahead = upcoming.rows(view, inner)
    first, last = 2, h - 3
    room = last - first - 1 - people
    needs = (len(told), story.soft(view, inner))
    plan = Plan(room, _panel_rows(view, room, inner), len(said), needs, len(ahead), chosen=bool(view.ui.panel))
    canvas.vline(0, first, last - first + 1)
    canvas.vline(w - 1, first, last - first + 1)
    y = _section(canvas, first, w, view.tr("title.who"))
    who.draw(Area(canvas, 1, y, w - 2, people), view)
    y = _panels(canvas, view, y + people, w, plan, plan.told - len(told))
    y = _section(canvas, y, w, view.tr("title.happened"))
    draw_rows(Area(canvas, 2, y, inner, plan.said), said)
    y = _section(canvas, y + plan.said, w, story.title(view))
    story.draw(Area(canvas, 2, y, inner, plan.told), view, told)
    y = _section(canvas, y + plan.told, w, view.tr("title.next"))
    draw_rows(Area(canvas, 2, y, inner, plan.ahead), ahead)
    _tabs(canvas, last, w, view)


def _panels(canvas: Canvas, view: View, y: int, w: int, plan: Plan, spare: int) -> int:
    """The panel in front and, in rows the story leaves over, the other queue and the log."""
    if plan.panel:
        y = _panel(canvas, view, y, w, view.panel, plan.panel)
    for name, rows, most in ((_second(view), PANEL_FULL, PANEL_FULL), ("syscalls", 3, 8)):
        if plan.panel and name != view.panel and spare > rows + 1:
            rows = min(most, spare - 2)
            y = _panel(canvas, view, y, w, name, rows)
            plan.told -= rows + 1
            spare -= rows + 1
    return y


def _second(view: View) -> str:
    """The panel that comes next where there is room: the other queue, or before any runs what vhost knows."""
    if view.running:
        return "rx" if view.panel == "tx" else "tx"
    return "memory" if view.panel == "vhost" else "vhost"


def _section(canvas: Canvas, y: int, w: int, title: str) -> int:
    canvas.hline(0, y, w)
    canvas.put(2, y, f" {title} ", "head")
    return y + 1


def _panel_rows(view: View, room: int, w: int) -> int:
    """Rows the panel in front can use."""
    if view.panel in ("tx", "rx"):
        ring = view.state.tx if view.panel == "tx" else view.state.rx
        return max(PANEL_FULL, min(room // 2, 2 + sum(run.last - run.first + 1 for run in descriptors.runs(ring)
                                                      if run.holder != "free") + 1))  # fmt: skip
    wanted = {"vhost": lambda: len(vhost.rows(view, w)), "features": lambda: len(features.rows(view, w)),
              "memory": lambda: memory.height(view, w), "figures": lambda: len(figures.rows(view, w)),
              "guest": lambda: len(guest.rows(view, w)), "plot": lambda: plot.TALL}  # fmt: skip
    return max(PANEL_FULL, wanted[view.panel]() if view.panel in wanted else room // 3)


def _panel(canvas: Canvas, view: View, y: int, w: int, name: str, rows: int) -> int:
    area = Area(canvas, 2, y + 1, w - 4, rows)
    canvas.hline(0, y, w)
    if name in ("tx", "rx"):
        ring = view.state.tx if name == "tx" else view.state.rx
        queue.title(canvas, 2, y, view, ring, w - 1)
        queue.draw(Area(canvas, 1, y + 1, w - 2, rows), view, ring)
        return y + 1 + rows
    title = packet.title(view) if name == "packet" else view.tr(TITLES.get(name, "title.log"))
    end = canvas.put(2, y, f" {title} ", "title", limit=w - 4)
    if _longer(view, name, w - 4, rows):
        canvas.put(end, y, f"({view.tr('story.scroll')}) ", "warn", limit=w - 2 - end)
    DRAWERS.get(name, log.draw)(area, view)
    return y + 1 + rows


def _longer(view: View, name: str, w: int, rows: int) -> bool:
    """Whether there is more in that panel than ``rows`` show; others say so themselves."""
    wanted = {"vhost": lambda: vhost.rows(view, w), "features": lambda: features.fitting(view, w, rows),
              "figures": lambda: figures.rows(view, w), "guest": lambda: guest.rows(view, w)}  # fmt: skip
    return name in wanted and len(wanted[name]()) > rows


def _tabs(canvas: Canvas, y: int, w: int, view: View) -> None:
    canvas.hline(0, y, w)
    first, last = _in_sight(view, w - 4)
    x = canvas.put(2, y, MORE, "tab") if first else 2
    for name in view.panels[first:last]:
        words = view.tr(f"tab.{name}")
        here = name == view.panel
        end = canvas.put(x, y, f" [{words}]" if here else f"  {words}", "title" if here else "tab")
        canvas.hit(f"panel:{name}", x + 1, y, end - x)
        x = end
    canvas.put(x, y, f" {MORE}" if last < len(view.panels) else " ", "tab")


def _in_sight(view: View, w: int) -> tuple[int, int]:
    """From which tab to which: all, or as many around the chosen one as fit into ``w`` cells."""
    widths = [width_of(view.tr(f"tab.{name}")) + 2 + (name == view.panel) for name in view.panels]
    first, last, chosen = 0, len(widths), list(view.panels).index(view.panel)
    while sum(widths[first:last]) + len(MORE) * ((first > 0) + (last < len(widths))) + (last < len(widths)) > w:
        if last - 1 > chosen:
            last -= 1
        else:
            first += 1
    return first, last
