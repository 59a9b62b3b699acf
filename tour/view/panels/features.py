"""Feature words bit by bit: what vhost offers, what the device offers, what the driver takes, what vhost was told."""

from __future__ import annotations

from tour.trace.state import State
from tour.view.area import Area, View
from tour.view.features import bits_of, name_of
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows
from tour.view.panels.vhost import in_sight
from tour.view.text import cut

WORDS = ("vhost", "device", "driver", "told")
KEYS = {"vhost": "offered", "device": "device.features", "driver": "driver.features", "told": "features"}
OWNERS = {"vhost": "device", "device": "control", "driver": "driver", "told": "control"}
BIT, NAME, FIRST, STEP = 0, 4, 22, 7
PURPOSE = FIRST + STEP * len(WORDS) + 1
HALF = 38
EXPLAINED = (0, 5, 11, 15, 16, 24, 26, 27, 28, 29, 32, 33, 35, 40)
"""Bits with a sentence of their own (``view.bit.<n>``)."""


def words(state: State) -> dict[str, int | None]:
    """The four words by name; None for one nobody has told yet."""
    values = (state.offered, state.device_features, state.driver_features, state.features)
    return dict(zip(WORDS, values, strict=True))


def draw(area: Area, view: View) -> None:
    """As a panel: a bit a row and what it is for; two bits a row where there are too few rows."""
    found = fitting(view, area.w, area.h)
    draw_rows(area, found, view.ui.scroll.get("features", in_sight(found, area.h)))


def fitting(view: View, w: int, h: int) -> list[Row]:
    """The rows, two bits in each where one in each would be too many."""
    found = rows(view, w)
    return _halves(view) if len(found) > h and w >= 2 * HALF else found


def rows(view: View, w: int) -> list[Row]:
    """A head, then a row for each bit that any word has."""
    known = words(view.state)
    if all(word is None for word in known.values()):
        return plain_rows(view.tr("features.none"), w, "dim")
    head = [Piece(BIT, view.tr("features.bit"), "dim"), Piece(NAME, view.tr("features.name"), "dim")]
    head += [Piece(FIRST + STEP * at, view.tr(f"features.{name}"), "head") for at, name in enumerate(WORDS)]
    head.append(Piece(PURPOSE, cut(view.tr("features.purpose"), w - PURPOSE), "dim"))
    body = [_row(view, bit, known, w) for bit in bits_shown(known)]
    return [head, *body, *_hex_row(view, known, w)]


def bits_shown(known: dict[str, int | None]) -> list[int]:
    """Bits that any of the words has."""
    every = 0
    for word in known.values():
        every |= word or 0
    return bits_of(every)


def _row(view: View, bit: int, known: dict[str, int | None], w: int) -> Row:
    row = [Piece(BIT, f"{bit:>2}", "dim"), Piece(NAME, name_of(bit), "text")]
    for at, name in enumerate(WORDS):
        text, style = _mark(view, name, known[name], bit)
        row.append(Piece(FIRST + STEP * at + 1, text, style))
    if bit in EXPLAINED and w > PURPOSE + 8:
        row.append(Piece(PURPOSE, cut(view.tr(f"bit.{bit}"), w - PURPOSE), "dim"))
    return row


def _mark(view: View, name: str, word: int | None, bit: int) -> tuple[str, str]:
    """``1`` set, ``-`` not set, ``?`` not told; lit while the word is new and the bit is set."""
    if word is None:
        return "?", "dim"
    if not word >> bit & 1:
        return "-", "dim"
    return "1", view.style(KEYS[name], OWNERS[name])


def _hex_row(view: View, known: dict[str, int | None], w: int) -> list[Row]:
    """The words as numbers."""
    parts = [f"{view.tr(f'features.{name}')} {word:#x}" for name, word in known.items() if word is not None]
    return plain_rows("   ".join(parts), w, "dim")


def _halves(view: View) -> list[Row]:
    """Two bits a row, without what they are for."""
    known = words(view.state)
    bits = bits_shown(known)
    half = (len(bits) + 1) // 2
    found = [[piece for x in (0, HALF) for piece in _short_head(view, x)]]
    for at in range(half):
        row = _short(view, bits[at], known, 0)
        found.append(row + (_short(view, bits[at + half], known, HALF) if at + half < len(bits) else []))
    return found


def _short_head(view: View, x: int) -> Row:
    return [Piece(x + 19 + 5 * at, cut(view.tr(f"features.short.{name}"), 5), "head") for at, name in enumerate(WORDS)]


def _short(view: View, bit: int, known: dict[str, int | None], x: int) -> Row:
    row = [Piece(x, f"{bit:>2}", "dim"), Piece(x + 3, cut(name_of(bit), 15), "text")]
    for at, name in enumerate(WORDS):
        text, style = _mark(view, name, known[name], bit)
        row.append(Piece(x + 20 + 5 * at, text, style))
    return row
