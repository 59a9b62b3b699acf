"""Two columns, from 118x30: both queues, memory, packet, log and lane at the left; card, story, checks at the right."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tour.view import head
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.panels import (
    card,
    checks,
    features,
    figures,
    guest,
    happened,
    keys,
    lane,
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
from tour.view.panels.rows import Row, draw_rows
from tour.view.ui import MEASURED

RIGHT_LEAST, RIGHT_MOST = 40, 76
QUEUE_ROWS = 6
LOG_LEAST, LANE_LEAST = 4, 4


class Block(msgspec.Struct):
    """A titled panel of a column: rows it gets, and how it is drawn."""

    rows: int
    title: Callable[[Canvas, int, int], None]
    draw: Callable[[Area], None]


def right_width(w: int) -> int:
    """Cells of the right column, its right border included and its left one."""
    return max(RIGHT_LEAST, min(RIGHT_MOST, w - 79, round(w * 0.355)))


def draw(canvas: Canvas, view: View) -> None:
    """The whole screen."""
    w, h = canvas.width, canvas.height
    first, last = _head(canvas, view, w), h - 3
    middle = w - right_width(w)
    for x in (0, middle, w - 1):
        canvas.vline(x, first, last - first + 1)
    stack(canvas, 0, middle + 1, first, last, _left(view, middle - 1, last - first))
    stack(canvas, middle, w - middle, first, last, _right(view, w - middle - 3, last - first))
    canvas.hline(0, last, w)
    timeline.draw(Area(canvas, 0, h - 2, w, 1), view)
    keys.draw(Area(canvas, 0, h - 1, w, 1), view)


def _head(canvas: Canvas, view: View, w: int) -> int:
    """One row where all of it fits, else two; returns how many."""
    top = Area(canvas, 0, 0, w, 2)
    edge = head.right_side(top, view, helped=True)
    end = head.title(top, view, edge - 4, short=False)
    one = head.width(view) < edge
    end = head.phases(top, end + 3 if one else 1, 0 if one else 1, view)
    head.forked(top, end + 3, 0 if one else 1, view)
    return 1 if one else 2


def stack(canvas: Canvas, x: int, w: int, first: int, last: int, blocks: list[Block]) -> None:
    """Blocks one below another from row ``first``, a line with its title before each; what does not fit is left out."""
    y = first
    for block in blocks:
        if y >= last:
            break
        rows = min(block.rows, last - y - 1)
        canvas.hline(x, y, w)
        block.title(canvas, x + 2, y)
        block.draw(Area(canvas, x + 1, y + 1, w - 2, rows))
        y += 1 + rows


def named(words: str) -> Callable[[Canvas, int, int], None]:
    """A block's title in plain words."""

    def put(canvas: Canvas, x: int, y: int) -> None:
        canvas.put(x, y, f" {words} ", "head")

    return put


def _inset(drawer: Callable[[Area, View], None], view: View) -> Callable[[Area], None]:
    return lambda area: drawer(area.sub(1, 0, area.w - 1, area.h), view)


def _left(view: View, w: int, room: int) -> list[Block]:
    """What the left column shows: the queues once they run, before that what vhost was told."""
    return _control(view, w, room) if view.control else _data(view, w, room)


def _control(view: View, w: int, room: int) -> list[Block]:
    """What vhost knows, the panel in front, then others as far as there is room; the log takes the rest."""
    people = Block(who.height(view), named(view.tr("title.who")), lambda area: who.draw(area, view))
    there = offered(view, w - 1)
    left = room - people.rows - 1 - LOG_LEAST - 1
    taken = []
    front = there.get(view.panel)
    if front is not None and view.panel in MEASURED:  # the one in front is scrolled where it is too long
        front.rows = min(front.rows, left - 1)
    for name in dict.fromkeys(_order(view)):
        if name in there and there[name].rows + 1 <= left:
            taken.append(name)
            left -= there[name].rows + 1
    lane_rows = max(0, min(left // 2, left - LANE_LEAST)) if left > 2 * LANE_LEAST else 0
    last = Block(LOG_LEAST + left - lane_rows, named(view.tr("title.log")), _inset(log.draw, view))
    lanes = [Block(lane_rows - 1, named(view.tr("title.lane")), _inset(lane.draw, view))] if lane_rows else []
    return [people, *(there[name] for name in there if name in taken), last, *lanes]


def _order(view: View) -> tuple[str, ...]:
    """Which panels get room first: once queues run they come before what vhost was told."""
    rest = ("tx", "rx", "memory", "vhost", "features") if view.running else ("memory", "tx", "features", "rx")
    measured = tuple(name for name in view.panels if name in MEASURED)
    return (view.panel, *measured, *rest) if view.panel in MEASURED else ("vhost", view.panel, *measured, *rest)


def offered(view: View, w: int) -> dict[str, Block]:
    """Panels there is something to show in, in the order in which they stand."""
    state = view.state
    found = {"vhost": _panel(view, "vhost", len(vhost.rows(view, w)), vhost.draw)}
    if any(word is not None for word in features.words(state).values()) or view.panel == "features":
        found["features"] = _panel(view, "features", len(features.rows(view, w)), features.draw)
    if "figures" in view.panels:
        found["figures"] = _panel(view, "figures", len(figures.rows(view, w)), figures.draw)
    if "plot" in view.panels:
        found["plot"] = _panel(view, "plot", plot.TALL if view.state.plots else 1, plot.draw)
    if "guest" in view.panels:
        found["guest"] = _panel(view, "guest", min(len(guest.rows(view, w)), guest.TALL), guest.draw)
    if state.regions or state.table or view.panel == "memory":
        found["memory"] = _panel(view, "memory_told", memory.height(view, w), memory.draw)
    return found | {ring.name: _queue(view, ring.index) for ring in (state.tx, state.rx) if ring.num}


def _panel(view: View, title: str, rows: int, drawer: Callable[[Area, View], None]) -> Block:
    return Block(rows, named(view.tr(f"title.{title}")), _inset(drawer, view))


def _data(view: View, w: int, room: int) -> list[Block]:
    """Blocks from the top; what is left over goes to queues, packet, log and lane."""
    people = who.height(view)
    spare = room - (people + 1) - 2 * (QUEUE_ROWS + 1) - 3 - 4 - 3
    packet_rows = 3 + (1 if spare > 14 else 0) + max(0, min(3, (spare - 18) // 2))
    log_rows = max(0, 2 + min(3, spare))
    lane_rows = room - (people + 1) - 2 * (QUEUE_ROWS + 1) - 3 - (packet_rows + 1) - (log_rows + 1) - 1
    if lane_rows < 3:
        log_rows += max(0, lane_rows + 1)
        lane_rows = 0
    blocks = [
        Block(people, named(view.tr("title.who")), lambda area: who.draw(area, view)),
        _queue(view, 1), _queue(view, 0),
        Block(2, named(view.tr("title.memory" if w >= 90 else "title.memory_short")), _inset(memory.draw_bar, view)),
        Block(packet_rows, named(packet.title(view)), _inset(packet.draw, view)),
        Block(log_rows, named(view.tr("title.log")), _inset(log.draw, view)),
    ]  # fmt: skip
    if lane_rows:
        blocks.append(Block(lane_rows, named(view.tr("title.lane")), _inset(lane.draw, view)))
    return blocks


def _queue(view: View, index: int) -> Block:
    ring = view.state.rings[index]
    return Block(
        QUEUE_ROWS,
        lambda canvas, x, y: queue.title(canvas, x, y, view, ring, canvas.width - right_width(canvas.width)),
        lambda area: queue.draw(area, view, ring),
    )


def _right(view: View, w: int, room: int) -> list[Block]:
    """Card, happened, story, line, checks, next: the story takes what is left, and gives way last."""
    said, told = happened.rows(view, w), story.rows(view, w)
    line, ahead = source.rows(view, w), upcoming.rows(view, w)
    listed = checks.rows(view, w)
    card_rows, check_rows = 0 if view.control else 8, max(1, len(listed))
    fixed = (5 if view.control else 6) + max(2, len(said)) + len(line) + max(1, len(ahead))
    need = len(told)
    if card_rows and room - fixed - card_rows - check_rows < need:
        card_rows = 7
    if card_rows and room - fixed - card_rows - check_rows < need:
        card_rows = 0
        fixed -= 1
    if room - fixed - check_rows < need:
        check_rows = max(min(2, check_rows), room - fixed - need)
    blocks = [_card(view, card_rows)] if card_rows else []
    story_rows = max(1, room - fixed - card_rows - check_rows)
    reminded = story.rows(view, w, full=True)
    told = reminded if len(reminded) <= story_rows else told
    return [
        *blocks,
        _flow(view.tr("title.happened"), said, max(2, len(said))),
        _story(view, told, story_rows),
        _flow(view.tr("title.source"), line, len(line)),
        Block(check_rows, named(view.tr("title.checks")), _inset(checks.draw, view)),
        _flow(view.tr("title.next"), ahead, max(1, len(ahead))),
    ]  # fmt: skip


def _story(view: View, told: list[Row], rows: int) -> Block:
    return Block(
        rows, named(story.title(view)), lambda area: story.draw(area.sub(1, 0, area.w - 1, area.h), view, told)
    )


def _card(view: View, rows: int) -> Block:
    return Block(rows, named(view.tr("title.card")), _inset(card.draw, view))


def _flow(title: str, found: list[Row], rows: int) -> Block:
    return Block(rows, named(title), lambda area: draw_rows(area.sub(1, 0, area.w - 1, area.h), found))
