"""What vhost knows: the article's own list, filled as the control plane tells it, and what it never learns."""

from __future__ import annotations

from tour.trace.state import Ring, State
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.features import feature_words
from tour.view.panels.vhost import owner_name
from tour.view.panels.who import port_name
from tour.view.text import wrap

LABEL = 11


def draw(area: Area, view: View) -> None:
    """Owner, worker, features, memory, rings, backend; unknown parts as a dash."""
    state = view.state
    lines = [
        ("owner", _owner(view), ("owner",)),
        ("features", _features(view), ("features",)),
        ("memory", _memory(view), ("mem_table",)),
        ("tx", _ring(view, state.tx, area.w - LABEL), _ring_keys(state.tx)),
        ("rx", _ring(view, state.rx, area.w - LABEL), _ring_keys(state.rx)),
        ("backend", _backend(view), ("tx.backend", "rx.backend")),
    ]
    y = 0
    spare = area.h - len(lines) - 1
    for name, text, keys in lines:
        style = _style(view, keys)
        area.put(0, y, view.tr(f"card.{name}"), "head")
        for part in wrap(text, area.w - LABEL)[: 1 + max(0, spare)]:
            area.put(LABEL, y, part, style)
            y += 1
            spare -= 1
        spare += 1
    area.put(0, y, view.tr("card.unknown"), "dim")


def _style(view: View, keys: tuple[str, ...]) -> str:
    if any(key in view.state.changed for key in keys):
        return "control+now"
    return "control+step" if any(key in view.state.step_changed for key in keys) else "text"


def _ring_keys(ring: Ring) -> tuple[str, ...]:
    return tuple(f"{ring.name}.{key}" for key in ("vring_num", "base", "addr.desc", "kick.given", "call.given"))


def _owner(view: View) -> str:
    state = view.state
    if not state.owner:
        return "-"
    who = owner_name(view)
    return f"{who}  {view.tr('card.worker', tid=state.worker.tid)}" if state.worker.tid else who


def _features(view: View) -> str:
    return "-" if view.state.features is None else feature_words(view.state.features) or view.tr("card.no_features")


def holes(state: State) -> int:
    """Gaps between the regions vhost was told."""
    spans = sorted((region.gpa, region.gpa + region.size) for region in state.table or ())
    return sum(spans[at][1] < spans[at + 1][0] for at in range(len(spans) - 1))


def _memory(view: View) -> str:
    count = view.state.mem_table
    gaps = holes(view.state)
    return view.tr("card.regions_hole" if gaps == 1 else "card.regions", n=count, holes=gaps) if count else "-"


def _ring(view: View, ring: Ring, w: int) -> str:
    parts = []
    if ring.vring_num is not None:
        parts.append(f"num {ring.vring_num}")
    if ring.base is not None:
        parts.append(f"base {ring.base}")
    if ring.addr_desc is not None:
        parts.append(view.tr("card.addresses"))
    bells = " ".join(name for name, bell in (("kick", ring.kick), ("call", ring.call)) if bell.given is not None)
    text = ", ".join([*parts, bells] if bells else parts)
    return (text if width_of(text) <= w else text.replace(view.tr("card.addresses"), "3 HVA")) or "-"


def _backend(view: View) -> str:
    name = port_name(view)
    parts = [f"{ring.name.upper()} {name}" for ring in (view.state.tx, view.state.rx) if ring.backend is not None]
    return ", ".join(parts) or "-"
