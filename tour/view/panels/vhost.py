"""What vhost knows, part by part: filled as the control plane tells it; what it was not told is unknown.

Descriptors are those given to it; a bell that was made and not given is not known. Counts are the eventfds' own.
"""

from __future__ import annotations

import msgspec

from tour.trace.state import Bell, Ring, State
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.features import bits_of, feature_words
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows
from tour.view.panels.who import worker_letter
from tour.view.say import size_words
from tour.view.text import cut, wrap

LABEL, INDENT = 10, 2
TABLE_WIDTH = 101
COLUMNS = (
    ("num", 9, 6), ("base", 15, 6), ("desc", 21, 15), ("avail", 36, 15), ("used", 51, 15), ("kick", 66, 10),
    ("call", 76, 10), ("err", 86, 9), ("backend", 95, 6),
)  # fmt: skip
"""Of the wide table: key, column, cells."""
REGIONS_MOST = 4
RINGERS = {"kick": "driver", "call": "device", "err": "device"}
"""Who writes each eventfd's count."""


def draw(area: Area, view: View) -> None:
    """As a panel; what just changed is scrolled into sight."""
    found = rows(view, area.w)
    draw_rows(area, found, view.ui.scroll.get("vhost", in_sight(found, area.h)))


def in_sight(found: list[Row], h: int) -> int:
    """How far to scroll so that what changed in the step is seen, or at least what changed last."""
    for marks in (("+now", "+step"), ("+now",)):
        lit = [y for y, row in enumerate(found) if any(piece.style.endswith(marks) for piece in row)]
        if lit and lit[-1] - lit[0] < h:
            return max(0, lit[-1] - h + 1)
    return max(0, min(lit[0], len(found) - h)) if lit else 0


class Fact(msgspec.Struct, frozen=True):
    """One thing of the device: its name, what is known of it (None: nothing), the state's keys that change it."""

    name: str
    text: str | None
    keys: tuple[str, ...]


def facts(view: View) -> list[Fact]:
    """The device and what it was told that is no ring's; a region of the memory table a line."""
    regions = _regions(view)
    return [
        Fact("device", _device(view), ("opened",)), Fact("owner", _owner(view), ("owner",)),
        Fact("worker", _worker(view), ("threads", "worker.state")),
        Fact("features", _features(view), ("features", "offered")),
        Fact("memory", None if regions is None else "\n".join(regions), ("mem_table",)),
    ]  # fmt: skip


def rows(view: View, w: int) -> list[Row]:
    """All of it in ``w`` cells: with a table of the rings where that fits."""
    state = view.state
    device, owner, *others, memory = facts(view)
    found = [*_who(view, device, owner, w), *(row for fact in others for row in _line(view, fact, w))]
    found += _memory(view, memory, w)
    if w >= TABLE_WIDTH:
        found += [_heads(view), *(_table_row(view, ring) for ring in (state.tx, state.rx))]
    else:
        found += [row for ring in (state.tx, state.rx) for row in _ring(view, ring, w)]
    new = knows(state) != knows(view.moment.before)
    return [*found, *plain_rows(summary(view), w, "control+step" if new else "key")]


def _who(view: View, device: Fact, its_owner: Fact, w: int) -> list[Row]:
    """The open device and its owner: one row where there are few cells, as there are few rows too."""
    two = [_line(view, device, w), _line(view, its_owner, w)]
    if w >= TABLE_WIDTH or len(two[0]) > 1:
        return two[0] + two[1]
    first, owner = two[0][0], two[1][0]
    x = first[-1].x + width_of(first[-1].text) + 2
    name = view.tr("vhost.owner")
    value = x + width_of(name) + 1
    return [[*first, Piece(x, name, "head"), *(msgspec.structs.replace(piece, x=value) for piece in owner[1:])]]


def _line(view: View, fact: Fact, w: int) -> list[Row]:
    label = Piece(0, view.tr(f"vhost.{fact.name}"), "head")
    if fact.text is None:
        return [[label, Piece(LABEL, view.tr("vhost.unknown"), _style(view, fact.keys, "dim"))]]
    lines = [Piece(LABEL, line, _style(view, fact.keys, "text")) for line in wrap(fact.text, w - LABEL)]
    return [[label, lines[0]], *([line] for line in lines[1:])]


def _style(view: View, keys: tuple[str, ...], base: str, who: str = "control") -> str:
    if any(key in view.state.changed for key in keys):
        return f"{who}+now"
    return f"{who}+step" if any(key in view.state.step_changed for key in keys) else base


def writer(view: View, ring: Ring, key: str) -> str:
    """Who changed what is known of one thing of a ring: a doorbell's count its ringer, all else the control plane."""
    changed = view.state.changed | view.state.step_changed
    rung = f"{ring.name}.{key}.count" in changed and f"{ring.name}.{key}.given" not in changed
    return RINGERS[key] if key in RINGERS and rung else "control"


def _device(view: View) -> str | None:
    state = view.state
    if state.device_fd is None:
        return view.tr("vhost.not_open")
    if state.device_fd < 0:
        return view.tr("vhost.ours")
    return view.tr("vhost.open", fd=state.device_fd, path=state.device_path)


def _owner(view: View) -> str | None:
    return owner_name(view) if view.state.owner else view.tr("vhost.nobody")


def owner_name(view: View) -> str:
    """The process that owns the device: ours. Where no Hello tells its number, that in the worker's name is taken,
    which is right unless another thread than the main one made the call."""
    hello = view.state.hello
    pid = str(hello.pid) if hello is not None and hello.pid else view.state.worker.name.rpartition("-")[2]
    key = "card.pid_then" if view.replayed else "card.pid"
    return view.tr(key, pid=pid) if pid.isdigit() else view.tr("card.us")


def _worker(view: View) -> str | None:
    worker = view.state.worker
    if not view.state.opened or not view.state.owner:
        return view.tr("vhost.no_worker" if view.state.opened else "vhost.nobody")
    if not worker.tid:
        return view.tr("vhost.hidden_worker") if worker.form else None
    form = view.tr(f"vhost.form.{worker.form}") if worker.form in ("kthread", "thread", "ours") else worker.form
    return view.tr("vhost.found", name=worker.name, tid=worker.tid, form=form, state=worker_letter(view))


def _features(view: View) -> str | None:
    state = view.state
    if state.features is not None:
        return f"{feature_words(state.features) or view.tr('card.no_features')} ({state.features:#x})"
    if state.offered is not None:
        return view.tr("vhost.offers", n=len(bits_of(state.offered)), word=f"{state.offered:#x}")
    return None


def _memory(view: View, fact: Fact, w: int) -> list[Row]:
    """The table as told: a region a row, two where they fit."""
    in_one = (fact.text or "").replace("\n", "  |  ")
    fits = fact.text is not None and width_of(in_one) <= w - LABEL
    return _line(view, msgspec.structs.replace(fact, text=in_one) if fits else fact, w)


def _regions(view: View) -> list[str] | None:
    """The regions of the table as told, in order of address."""
    if view.state.table is None:
        return None
    told = [
        view.tr("vhost.region", gpa=f"{region.gpa:#x}", size=size_words(region.size), hva=f"{region.hva:#x}")
        for region in sorted(view.state.table, key=lambda region: region.gpa)
    ]
    if len(told) > REGIONS_MOST:
        told = [*told[: REGIONS_MOST - 1], view.tr("queue.more", n=len(told) - REGIONS_MOST + 1)]
    return told or [view.tr("vhost.no_region")]


# --- a ring ---------------------------------------------------------------------------------------------------


def _heads(view: View) -> Row:
    """The columns' names, the last ending with the table; which kind of address stands there is not told before there
    is one (a lesson asks)."""
    told = any(ring.addr_desc is not None for ring in view.state.rings)
    kind = dict.fromkeys(("desc", "avail", "used"), " (HVA)" if told else "")
    named = [(x, view.tr(f"vhost.head.{key}") + kind.get(key, "")) for key, x, _ in COLUMNS]
    return [Piece(min(x, TABLE_WIDTH - width_of(name)), name, "dim") for x, name in named]


def _table_row(view: View, ring: Ring) -> Row:
    row = [Piece(0, view.tr(f"card.{ring.name}"), "head")]
    for key, x, room in COLUMNS:
        text, keys = cell(view, ring, key)
        style = _style(view, keys, "text" if text else "dim", writer(view, ring, key))
        row.append(Piece(x, cut(text or "?", room - 1), style))
    return row


def cell(view: View, ring: Ring, key: str) -> tuple[str, tuple[str, ...]]:
    """What is known of one thing of a ring, empty for unknown; and the state's keys that change it."""
    name = ring.name
    if key in ("desc", "avail", "used"):
        address = getattr(ring, f"addr_{key}")
        return "" if address is None else f"{address:#x}", (f"{name}.addr.{key}",)
    if key in ("kick", "call", "err"):
        bell: Bell = getattr(ring, key)
        return bell_words(bell), (f"{name}.{key}.given", f"{name}.{key}.count")
    if key == "backend":
        none = view.tr("vhost.no_socket") if ring.detached else ""
        return none if ring.backend is None else f"fd {ring.backend}", (f"{name}.backend",)
    value = ring.vring_num if key == "num" else ring.base
    return "" if value is None else str(value), (f"{name}.vring_num" if key == "num" else f"{name}.base",)


def bell_words(bell: Bell) -> str:
    """``fd 9: 1``, the descriptor given and its eventfd's count; empty while none was given."""
    if bell.given is None:
        return ""
    return f"fd {bell.given}: {bell.count}" if bell.given == bell.fd else f"fd {bell.given}"


def _ring(view: View, ring: Ring, w: int) -> list[Row]:
    """Two rows; one while nothing of the ring is known."""
    label = Piece(0, view.tr(f"card.{ring.name}"), "head")
    if not any(cell(view, ring, key)[0] for key, _, _ in COLUMNS):
        return [[label, Piece(LABEL, view.tr("vhost.unknown"), "dim")]]
    first = _cells(view, ring, ("desc", "avail", "used"), LABEL)
    second = _cells(view, ring, ("num", "base", "kick", "call", "err", "backend"), INDENT)
    return [[label, *first], second]


def _cells(view: View, ring: Ring, keys: tuple[str, ...], x: int) -> Row:
    row: Row = []
    for key in keys:
        text, changing = cell(view, ring, key)
        name = view.tr(f"vhost.short.{key}")
        row.append(Piece(x, name, "dim"))
        x += width_of(name) + 1
        shown = text.replace(": ", ":") if text else "?"
        row.append(Piece(x, shown, _style(view, changing, "text" if text else "dim", writer(view, ring, key))))
        x += width_of(shown) + 2
    return row


# --- the last sentence ----------------------------------------------------------------------------------------


def knows(state: State) -> list[str]:
    """Of memory map, kick and call: what vhost was told, for any ring."""
    bells = [name for name in ("kick", "call") if any(getattr(ring, name).given is not None for ring in state.rings)]
    return (["map"] if state.table else []) + (["both"] if len(bells) == 2 else bells)


def summary(view: View) -> str:
    """The article's last sentence, as far as it is true by now; and what vhost never learns."""
    parts = [view.tr(f"vhost.knows.{key}") for key in knows(view.state)] or [view.tr("vhost.knows.nothing")]
    return view.tr("vhost.summary", what=view.tr("say.and").join(parts))
