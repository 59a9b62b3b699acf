"""Guest physical memory: regions, the hole, where rings and buffers lie, and where this process maps them."""

from __future__ import annotations

import msgspec

from tour.trace.events import Region
from tour.trace.state import Mapped, Ring, State
from tour.view.area import Area, View
from tour.view.canvas import Canvas, width_of
from tour.view.say import size_words
from tour.view.text import cut

LIST_ROWS = 5
LONG_HVA = 90


class Part(msgspec.Struct, frozen=True):
    """A labelled stretch of guest memory; ``keys`` are the state keys that light it up; ``kind`` ring, buffer,
    free or hole."""

    gpa: int
    end: int
    label: str
    kind: str
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def parts(view: View, region: Region) -> list[Part]:
    """What lies in a region, in order of address, the free rest included."""
    end = region.gpa + region.size
    found = [part for ring in (view.state.tx, view.state.rx) for part in _ring_parts(ring) + _buffers(ring)]
    found += _loose(view.state)
    inside = sorted((part for part in found if region.gpa <= part.gpa < end), key=lambda part: (part.gpa, part.end))
    out: list[Part] = []
    at = region.gpa
    for part in inside:
        if part.gpa - at >= max(4096, region.size // 64):
            out.append(Part(at, part.gpa, view.tr("memory.free"), "free"))
        out.append(part)
        at = max(at, part.end)
    if at < end and end - at >= max(4096, region.size // 64):
        out.append(Part(at, end, view.tr("memory.free"), "free"))
    return out


def _ring_parts(ring: Ring) -> list[Part]:
    if not ring.num:
        return []
    name = ring.name
    desc = tuple(f"{name}.desc[{index}]" for index in range(min(ring.num, 64)))
    avail = (f"{name}.avail.idx", f"{name}.avail.flags", *(f"{name}.avail.ring[{i}]" for i in range(min(ring.num, 64))))
    used = (f"{name}.used.idx", f"{name}.used.flags", *(f"{name}.used.ring[{i}]" for i in range(min(ring.num, 64))))
    return [
        Part(ring.place_desc, ring.place_desc + 16 * ring.num, f"{name.upper()} desc", "desc", desc),
        Part(ring.place_avail, ring.place_avail + 6 + 2 * ring.num, "avail", "avail", avail),
        Part(ring.place_used, ring.place_used + 6 + 8 * ring.num, "used", "used", used),
    ]


def _buffers(ring: Ring) -> list[Part]:
    """Buffers of descriptors not free, adjacent ones as one part."""
    found: list[Part] = []
    firsts: list[int] = []
    for index, entry in enumerate(ring.desc[:512]):
        if entry is None or index not in ring.taken:
            continue
        gpa, end, key = entry[0], entry[0] + entry[1], f"mem.{entry[0]:#x}"
        if found and found[-1].end == gpa:
            last = found[-1]
            label = f"{ring.name.upper()} {firsts[-1]}..{index}"
            found[-1] = Part(last.gpa, end, label, "buffer", (*last.keys, key), (*last.names, key))
        else:
            found.append(Part(gpa, end, f"{ring.name.upper()} {index}", "buffer", (key,), (key,)))
            firsts.append(index)
    return found


def _loose(state: State) -> list[Part]:
    """Bytes written where no descriptor in use points."""
    spans = [(e[0], e[0] + e[1]) for ring in state.rings for i, e in enumerate(ring.desc) if e and i in ring.taken]
    found: list[Part] = []
    for gpa, data in sorted(state.buffers.items()):
        end, key = gpa + len(data) // 2, f"mem.{gpa:#x}"
        if any(start <= gpa < stop for start, stop in spans):
            continue
        if found and found[-1].end >= gpa:
            last = found[-1]
            found[-1] = Part(last.gpa, max(end, last.end), last.label, "buffer", (*last.keys, key), (*last.names, key))
        else:
            found.append(Part(gpa, end, "", "buffer", (key,), (key,)))
    return found


def style_of(view: View, part: Part) -> str:
    """Who writes there, and whether it just changed."""
    base = {"used": "device", "free": "dim", "hole": "dim"}.get(part.kind, "driver")
    if part.kind == "buffer" and part.label.startswith("RX"):
        base = "device"
    written = [key for key in view.state.changed if key.startswith("mem.")] if part.kind == "buffer" else []
    if any(key in view.state.changed for key in part.keys) or any(_inside(part, key) for key in written):
        return f"{base}+now"
    if view.ui.spotlight and part.kind == "buffer" and _inside(part, _last_buffer(view.state)):
        return f"{base}+spot"
    return f"{base}+step" if any(key in view.state.step_changed for key in part.keys) else base


def _inside(part: Part, key: str) -> bool:
    return key.startswith("mem.") and part.gpa <= int(key[4:], 16) < part.end


def _last_buffer(state: State) -> str:
    return f"mem.{next(reversed(state.buffers)):#x}" if state.buffers else ""


def draw_bar(area: Area, view: View) -> None:
    """Two rows: GPAs as one line of parts with the hole between regions; under each region its HVA."""
    regions = sorted(view.state.regions, key=lambda region: region.gpa)
    if not regions:
        area.put(0, 0, view.tr("memory.none"), "dim")
        return
    found = [parts(view, region) for region in regions]
    spare = _spare(area.w, view, regions, found)
    for shorter in (_without_free, _rings_as_one):
        if spare < 0:
            found = [shorter(row) for row in found]
            spare = _spare(area.w, view, regions, found)
    x = area.put(0, 0, "GPA ", "head")
    area.put(0, 1, "HVA", "head")
    end = below = 0
    for region, row in zip(regions, found, strict=True):
        if end and region.gpa > end:
            x = area.put(x, 0, f"┤ {view.tr('memory.hole')} ", "dim")
        below = _hva(area, view, region, x, below)
        x = _region_bar(area, x, view, region, row, max(0, spare))
        end = region.gpa + region.size
    if x >= area.w:
        area.right(0, " ...", "dim")
    area.put(x, 0, "┤", "frame")


def _hva(area: Area, view: View, region: Region, x: int, taken: int) -> int:
    """A region's HVA under its beginning, right of what stands there already; returns where it ends."""
    long = view.tr("memory.region", hva=f"{region.hva:#x}", n=region.index, size=size_words(region.size))
    words = long if area.w >= LONG_HVA else f"{region.hva:#x}"
    start = max(4, taken + 2 if taken else 0, min(x, area.w - width_of(words)))
    return area.put(start, 1, words, "dim")


def _without_free(row: list[Part]) -> list[Part]:
    return [part for part in row if part.kind != "free"]


def _rings_as_one(row: list[Part]) -> list[Part]:
    """Descriptor table, avail and used of a ring as one part that only says whose it is."""
    out: list[Part] = []
    for part in row:
        if part.kind in ("avail", "used") and out and out[-1].kind == "desc":
            last = out[-1]
            out[-1] = Part(last.gpa, max(last.end, part.end), last.label, "desc", (*last.keys, *part.keys))
        else:
            out.append(msgspec.structs.replace(part, label=part.label.removesuffix(" desc")))
    return out


def _label(part: Part) -> str:
    if part.kind == "buffer":
        return f"{part.gpa:#x} [{part.label}]" if part.label else f"{part.gpa:#x} [{part.end - part.gpa} B]"
    return part.label


def _spare(w: int, view: View, regions: list[Region], found: list[list[Part]]) -> int:
    """Cells left over for each free stretch; negative when even their names do not fit."""
    used = 5 + (width_of(view.tr("memory.hole")) + 3) * (len(regions) - 1)
    for region, row in zip(regions, found, strict=True):
        used += 0 if row and row[0].kind == "buffer" else width_of(f"{region.gpa:#x}") + 3
        used += sum(width_of(_label(part)) + (2 if part.kind in ("avail", "used") else 3) for part in row)
    free = sum(part.kind == "free" for row in found for part in row)
    return min(16, (w - used) // max(1, free)) if w >= used else -1


def _region_bar(area: Area, x: int, view: View, region: Region, row: list[Part], spare: int) -> int:
    if not row or row[0].kind != "buffer":
        x = area.put(x, 0, "├", "frame")
        x = area.put(x, 0, f" {region.gpa:#x}", "head")
        x = area.put(x, 0, " ", "text")
    for part in row:
        x = _part(area, x, view, part, spare)
    return x


def _part(area: Area, x: int, view: View, part: Part, spare: int) -> int:
    if part.kind not in ("avail", "used"):
        x = area.put(x, 0, "├", "frame")
    if part.kind == "free":
        dashes = "─" * (spare // 2)
        return area.put(x, 0, f"{dashes} {part.label} {dashes}", "dim")
    end = area.put(x, 0, f" {_label(part)} ", style_of(view, part))
    for name in part.names[:64]:
        area.anchor(name, x, 0, end - x)
    return end


def draw(area: Area, view: View) -> None:
    """As a tab: a line a region with its addresses, below it what lies there; with few rows the bar."""
    if not view.state.regions and not view.state.table:
        area.put(0, 0, view.tr("memory.none"), "dim")
    elif area.h < LIST_ROWS and view.running and area.h < height(view, area.w):
        draw_bar(area, view)
    else:
        _list(area, view, view.ui.scroll.get("memory", 0))


def height(view: View, w: int) -> int:
    """Rows that the list takes in ``w`` cells."""
    return max(1, _list(Area(Canvas(1, 1), 0, 0, w, 0), view, 0))


def _list(area: Area, view: View, scroll: int) -> int:
    """Regions in order of address with the holes between; returns the row after the last."""
    y, end = -scroll, 0
    for region in sorted(view.state.regions, key=lambda region: region.gpa):
        if end and region.gpa > end:
            area.put(0, y, view.tr("memory.hole_line", start=f"{end:#x}", end=f"{region.gpa - 1:#x}"), "dim")
            y = _asked(area, y + 1, view, range(end, region.gpa))
        _region_line(area, y, view, region)
        y = _region_parts(area, y + 1, view, region)
        end = region.gpa + region.size
        y = _asked(area, y, view, range(region.gpa, end))
    for told in only_told(view.state):
        last = told.gpa + told.size - 1
        words = {"start": f"{told.gpa:#x}", "end": f"{last:#x}", "hva": f"{told.hva:#x}"}
        text = view.tr("memory.only_told", size=size_words(told.size), **words)
        area.put(0, y, cut(text, area.w), view.style("mem_table", "control"))
        y += 1
    return y + scroll


def _asked(area: Area, y: int, view: View, within: range) -> int:
    """What this step looked up in our own table, below the region or the hole in which it begins; the next row."""
    asked = view.state.translated
    if asked is None or asked.gpa not in within or not view.state.step_changed & {"translated.hva", "translated.fault"}:
        return y
    words = {"start": f"{asked.gpa:#x}", "end": f"{asked.gpa + asked.size - 1:#x}"}
    if asked.hva is None:
        area.put(4, y, view.tr("memory.refused", **words), view.style("translated.fault", "control"))
    else:
        area.put(4, y, view.tr("memory.found", hva=f"{asked.hva:#x}", **words), view.style("translated.hva", "control"))
    return y + 1


def only_told(state: State) -> list[Mapped]:
    """Regions vhost was told that are not mapped like that."""
    mapped = {(region.gpa, region.size, region.hva) for region in state.regions}
    return [told for told in state.table or () if (told.gpa, told.size, told.hva) not in mapped]


def told_words(state: State, region: Region) -> str:
    """``told``, ``untold``, or ``otherwise``: the table has its GPA with another size or HVA."""
    same = [told for told in state.table or () if told.gpa == region.gpa]
    if any((told.size, told.hva) == (region.size, region.hva) for told in same):
        return "told"
    return "otherwise" if same else "untold"


def _region_line(area: Area, y: int, view: View, region: Region) -> None:
    style = view.style(f"region[{region.index}].hva", "control")
    last = region.gpa + region.size - 1
    words = {"start": f"{region.gpa:#x}", "end": f"{last:#x}", "hva": f"{region.hva:#x}"}
    text = view.tr("memory.region_line", n=region.index, size=size_words(region.size), **words)
    area.put(0, y, cut(text, area.w), style)
    told = told_words(view.state, region)
    area.put(
        width_of(text) + 2, y, view.tr(f"memory.{told}"), "dim" if told == "untold" else view.style("mem_table", "head")
    )


def _region_parts(area: Area, y: int, view: View, region: Region) -> int:
    x = 4
    for part in parts(view, region):
        if part.kind == "free":
            continue
        text = _label(part) if part.kind == "buffer" else f"{part.label} {part.gpa:#x}"
        if x + width_of(text) > area.w and x > 4:
            x, y = 4, y + 1
        area.put(x, y, text, style_of(view, part))
        end = x + width_of(text)
        for name in part.names[:64]:
            area.anchor(name, x, y, end - x)
        x = end + 3
    return y + 1 if x > 4 else y
