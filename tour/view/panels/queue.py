"""One queue: the descriptor table at the left, both rings at the right, doorbells in the title."""

from __future__ import annotations

from tour.trace.state import Bell, Ring
from tour.view.area import Area, View
from tour.view.canvas import Canvas
from tour.view.panels import descriptors, rings
from tour.view.text import cut
from tour.view.words import fault_words


def title(canvas: Canvas, x: int, y: int, view: View, ring: Ring, end: int) -> None:
    """The panel's title on its line up to column ``end``: size, doorbells and how often each was rung."""
    stop = end
    shown = view.tr("queue.title", name=ring.name.upper(), num=ring.num)
    end = canvas.put(x, y, f" {shown} ", "title")
    if ring.broken:
        end = canvas.put(end, y, f"{view.tr('queue.broken')} ", "bad+now")
    for name, text in bells(view, ring):
        key = f"{ring.name}.{name}.count"
        guess = "~" if view.guessed(key) else ""
        start = end + 2
        style = view.style(key, "driver" if name == "kick" else "device")
        end = canvas.put(start, y, f" {guess}{text} ", style, limit=max(0, stop - start))
        canvas.anchor(f"{ring.name}.{name}", start, y, end - start)


def bells(view: View, ring: Ring) -> list[tuple[str, str]]:
    """Kick and call in words."""
    kick = bell_words(view, "kick", ring.kick, _kicks_off(view, ring))
    return [("kick", kick), ("call", bell_words(view, "call", ring.call, _calls_off(view, ring)))]


def bell_words(view: View, name: str, bell: Bell, silence: str = "") -> str:
    """``kick fd 9: 1 write``; with ``silence`` (``not wanted``) in fewer words."""
    if bell.fd is None:
        return view.tr("bell.none", name=name)
    if bell.given is None and not bell.total:
        return view.tr("bell.kept", name=name, fd=bell.fd)
    if name == "call" and view.state.cpu and view.state.hello and view.state.hello.looked_at:
        return view.tr("bell.counter", name=name, fd=bell.fd, n=bell.count)  # KVM may read it: nobody counts the writes
    key = "bell.count" if silence else "bell.one" if bell.total == 1 else "bell.many"
    return view.tr(key, name=name, fd=bell.fd, n=bell.total) + silence


def _event_idx(view: View) -> bool:
    return bool((view.state.features or 0) >> 29 & 1)


def _kicks_off(view: View, ring: Ring) -> str:
    if _event_idx(view) and ring.avail_event is not None:
        return view.tr("bell.at", n=ring.avail_event)
    return view.tr("bell.off") if ring.used_flags & 1 else ""


def _calls_off(view: View, ring: Ring) -> str:
    if _event_idx(view) and ring.used_event is not None:
        return view.tr("bell.at", n=ring.used_event)
    return view.tr("bell.off") if ring.avail_flags & 1 else ""


def split(w: int) -> int:
    """Cells of the descriptor table."""
    return 28 if w < 78 else 32 if w < 96 else 38


def draw(area: Area, view: View, ring: Ring) -> None:
    """Table and rings; a broken ring says why across the last row."""
    if not ring.num:
        area.put(1, 0, view.tr("queue.unplaced"), "dim")
        return
    if area.h < 4:
        rings.draw_brief(area, view, ring)
        return
    left = split(area.w)
    descriptors.draw(area.sub(0, 0, left, area.h), view, ring, view.moment.before.rings[ring.index])
    for y in range(area.h):
        area.put(left, y, "│", "frame")
    rings.draw(area.sub(left + 1, 0, area.w - left - 1, area.h), view, ring)
    if ring.broken:
        words = f" {view.tr('queue.broken')}({fault_words(ring.broken, view.lang)}) "
        area.put(0, area.h - 1, cut(words, area.w), "bad+now")
