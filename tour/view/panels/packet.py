"""The packet's bytes with their meaning; a field can be lit up in bytes and words alike."""

from __future__ import annotations

import msgspec

from tour.trace.frames import NET_HDR_LEN, Field, fields, header_fields
from tour.trace.state import State
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.frame_words import meaning
from tour.view.sight import Sight
from tour.view.text import cut

HEX_AT = 6
PER_ROW = 16
ROOMY = 92


class Subject(msgspec.Struct, frozen=True):
    """The bytes shown: where they lie (None for a frame seen at the port), whose they are, header first if
    ``header``; ``rest`` if they are no packet's beginning: a later piece of one, or an indirect table."""

    data: bytes
    header: bool
    gpa: int | None = None
    descriptor: str = ""
    rest: bool = False


BEGINS = ("net_hdr", "buffer")
"""What a packet's first bytes in memory are said to be."""


class HexRow(msgspec.Struct, frozen=True):
    """A row of the dump: offset, its fields, and the meaning at its right."""

    start: int
    end: int
    text: str


def subject(state: State) -> Subject | None:
    """The buffer last written, as far as events tell its bytes; else the last frame seen; else None."""
    if state.buffers:
        gpa = next(reversed(state.buffers))
        start, data = _joined(state, gpa)
        rest = state.parts.get(start, "buffer") not in BEGINS
        header = len(data) >= NET_HDR_LEN and not rest
        for ring in (state.tx, state.rx):
            for index, entry in enumerate(ring.desc[:512]):
                if entry and entry[0] <= gpa < entry[0] + entry[1] and (ring.index == 0 or start == entry[0]):
                    return Subject(data, header, start, f"{ring.name.upper()} {index}", rest)
        return Subject(data, header, start, rest=rest)
    if state.frames:
        return Subject(_bytes(state.frames[-1].frame), False)
    return None


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _joined(state: State, gpa: int) -> tuple[int, bytes]:
    """Adjacent writes around ``gpa`` as one run of bytes."""
    spans = {start: _bytes(data) for start, data in state.buffers.items()}
    start = gpa
    while earlier := [at for at, data in spans.items() if at < start == at + len(data)]:
        start = earlier[0]
    data, at = b"", start
    while at in spans and spans[at]:
        data += spans[at]
        at = start + len(data)
    return start, data


def title(view: View) -> str:
    """What packet this is and how its bytes divide."""
    return title_of(view, subject(view.state))


def title_of(view: Sight, found: Subject | None) -> str:
    """The same of these bytes."""
    if found is None:
        return view.tr("packet.title_none")
    if found.gpa is None:
        return view.tr("packet.title_frame", n=len(found.data))
    where = view.tr("packet.in_descriptor", name=found.descriptor) if found.descriptor else f"GPA {found.gpa:#x}"
    if not found.header:
        return view.tr("packet.title_bytes", where=where, n=len(found.data))
    return view.tr("packet.title", where=where, head=NET_HDR_LEN, n=len(found.data) - NET_HDR_LEN)


def all_fields(found: Subject) -> list[Field]:
    """Every field, offsets counted from the first byte shown."""
    if found.rest:
        return [Field(0, len(found.data), "payload", found.data.hex())]
    if not found.header:
        return fields(found.data)
    inner = fields(found.data[NET_HDR_LEN:]) if len(found.data) > NET_HDR_LEN else []
    moved = [Field(field.offset + NET_HDR_LEN, field.length, field.name, field.value) for field in inner]
    return [*header_fields(found.data[:NET_HDR_LEN]), *moved]


def draw(area: Area, view: View) -> None:
    """Rows of bytes, one layer after another, each layer's meaning at the right of its first row."""
    draw_bytes(area, view, subject(view.state))


def draw_bytes(area: Area, view: Sight, found: Subject | None) -> None:
    """The same of these bytes."""
    if found is None:
        area.put(0, 0, view.tr("packet.none"), "dim")
        return
    known = all_fields(found)
    per_row = PER_ROW if area.w >= ROOMY else 8
    rows = _rows(view, known, area.h, per_row)
    scroll = max(0, min(view.ui.scroll.get("packet", 0), len(rows) - area.h))
    for y, row in enumerate(rows[scroll : scroll + area.h]):
        _row(area, y, view, row, known, found.data, per_row)


def _rows(view: Sight, known: list[Field], room: int, per_row: int) -> list[HexRow]:
    """Layers as rows; a layer for which there is no room keeps one row, until the person scrolls."""
    layers: dict[str, list[Field]] = {}
    for field in known:
        layers.setdefault(field.name.partition(".")[0], []).append(field)
    scrolled = bool(view.ui.scroll.get("packet"))
    spare = room - len(layers)
    rows: list[HexRow] = []
    for name, members in layers.items():
        start, end = members[0].offset, members[-1].offset + members[-1].length
        words = meaning(name, members, view.lang, view.ui.spotlight)
        more = max(0, (end - start - 1) // per_row)
        if more > spare and not scrolled:
            rows.append(HexRow(start, end, words))
            continue
        spare -= more
        for at in range(start, max(end, start + 1), per_row):
            rows.append(HexRow(at, min(at + per_row, end), words if at == start else ""))
    return rows


def _row(area: Area, y: int, view: Sight, row: HexRow, known: list[Field], data: bytes, per_row: int) -> None:
    area.put(0, y, f"{row.start:04x}", "dim")
    for at in range(row.start, min(row.end, row.start + per_row)):
        field = next((field for field in known if field.offset <= at < field.offset + field.length), None)
        name = field.name if field else ""
        x = HEX_AT + 3 * (at - row.start)
        lit = bool(name) and name == view.ui.spotlight
        gap = lit and at + 1 < row.end and field is not None and at + 1 < field.offset + field.length
        area.put(x, y, f"{data[at]:02x}" + (" " if gap else ""), "text+spot" if lit else _shade(known, name))
        area.hit(f"spot:{name}", x, y, 3)
    end = HEX_AT + 3 * per_row
    if row.end > row.start + per_row:
        area.put(end - 1, y, "...", "dim")
    words = cut(row.text, area.w - end - 3)
    lit = bool(view.ui.spotlight) and any(
        field.name == view.ui.spotlight and row.start <= field.offset < row.end for field in known
    )
    area.put(end + 3, y, words, "text+spot" if lit and words else "text")
    area.anchor(f"packet.{row.start}", HEX_AT, y, width_of(words))


def _shade(known: list[Field], name: str) -> str:
    """Neighbouring fields in two shades, so that their borders show."""
    names = [field.name for field in known]
    return "text" if name in names and names.index(name) % 2 == 0 else "dim"
