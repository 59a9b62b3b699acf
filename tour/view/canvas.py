"""A grid of terminal cells: text put cell by cell, lines that join by themselves, named places, mouse targets.

A Chinese character takes two cells; widths are always cells, never characters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import msgspec
from rich.cells import cell_len

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
UNICODE_LINES = {
    0: " ", UP: "│", DOWN: "│", UP | DOWN: "│", LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─",
    DOWN | RIGHT: "┌", DOWN | LEFT: "┐", UP | RIGHT: "└", UP | LEFT: "┘", UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤", DOWN | LEFT | RIGHT: "┬", UP | LEFT | RIGHT: "┴", UP | DOWN | LEFT | RIGHT: "┼",
}  # fmt: skip
ASCII_LINES = {bits: "|" if not bits & 12 else "-" if not bits & 3 else "+" for bits in UNICODE_LINES}
ASCII_GLYPHS = {"●": "*", "←": "<", "→": ">", "↑": "^", "↓": "v", "…": ".", **{
    glyph: ASCII_LINES[bits] for bits, glyph in UNICODE_LINES.items() if bits
}}  # fmt: skip


class Rect(msgspec.Struct, frozen=True):
    """A rectangle of cells; ``x`` and ``y`` are its first column and row."""

    x: int
    y: int
    w: int
    h: int = 1

    def holds(self, x: int, y: int) -> bool:
        """Whether the cell lies inside."""
        return self.x <= x < self.x + self.w and self.y <= y < self.y + self.h


class Hit(msgspec.Struct, frozen=True):
    """A mouse target: ``action`` is ``panel:memory``, ``choice:2``, ``seek:57``, ``key:f``, ``spot:eth.src``
    or ``vary:forget_kick``."""

    rect: Rect
    action: str


class Span(msgspec.Struct, frozen=True):
    """A run of cells of one style."""

    text: str
    style: str


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    return 0 if unicodedata.category(char)[0] == "C" else cell_len(char)


def plain(text: str) -> str:
    """``text`` with every character that takes no cell (control, combining, unassigned) shown as ``?``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _char_width(char) else "?" for char in text)


@lru_cache(maxsize=4096)
def width_of(text: str) -> int:
    """Cells that ``text`` takes on a canvas."""
    return len(text) if text.isascii() else sum(_char_width(char) or 1 for char in text)


class Canvas:
    """``height`` rows of exactly ``width`` cells.

    ``anchors`` are named places (``tx.avail.idx``, ``tx.desc[0]``, ``worker``, ``tap``, ``mem.0x40000``) between
    which an animation travels; ``hits`` are mouse targets, the last one on top.
    """

    def __init__(self, width: int, height: int, *, ascii_only: bool = False) -> None:
        self.width = width
        self.height = height
        self.ascii_only = ascii_only
        self.anchors: dict[str, Rect] = {}
        self.hits: list[Hit] = []
        self._chars = [[" "] * width for _ in range(height)]
        self._styles = [["text"] * width for _ in range(height)]
        self._bits = [bytearray(width) for _ in range(height)]
        self._glyphs = [(ASCII_LINES if ascii_only else UNICODE_LINES).get(bits, " ") for bits in range(16)]

    def put(self, x: int, y: int, text: str, style: str = "text", *, limit: int | None = None) -> int:
        """Write ``text`` from cell (x, y), cut at ``limit`` cells and at the right edge.

        A wide character that would be cut in half becomes a blank. Returns the column after the last cell.
        """
        if not 0 <= y < self.height or x < 0 or x >= self.width:
            return x
        room = self.width - x if limit is None else min(limit, self.width - x)
        cells = self._cells(text, room)
        if not cells:
            return x
        end = x + len(cells)
        row = self._chars[y]
        if row[x] == "" and x:
            row[x - 1] = " "
        if end < self.width and row[end] == "":
            row[end] = " "
        row[x:end] = cells
        self._styles[y][x:end] = [style] * len(cells)
        return end

    def _cells(self, text: str, room: int) -> list[str]:
        if self.ascii_only and not text.isascii():
            text = "".join(ASCII_GLYPHS.get(char, char) for char in text)
        if text.isascii() and text.isprintable():
            return list(text[:room]) if room > 0 else []
        cells: list[str] = []
        for char in text:
            wide = _char_width(char)
            if len(cells) + (wide or 1) > room:
                return cells + [" "] * (room - len(cells))
            cells.append(char if wide else "?")
            if wide == 2:
                cells.append("")
        return cells

    def restyle(self, rect: Rect, style: str) -> None:
        """Give every cell of ``rect`` another style, the text stays."""
        for y in range(max(0, rect.y), min(self.height, rect.y + rect.h)):
            start, stop = max(0, rect.x), min(self.width, rect.x + rect.w)
            self._styles[y][start:stop] = [style] * max(0, stop - start)

    def style_at(self, x: int, y: int) -> str:
        """The style of one cell."""
        return self._styles[y][x]

    def hline(self, x: int, y: int, w: int, style: str = "frame") -> None:
        """A line of ``w`` cells to the right; its ends join what they meet."""
        x, end = max(0, x), min(self.width, x + w)
        if not 0 <= y < self.height or end - x < 1:
            return
        bits = self._bits[y]
        for column in range(x, end):
            bits[column] |= LEFT | RIGHT
        bits[x] &= ~LEFT if x == 0 or not bits[x - 1] & RIGHT else 15
        bits[end - 1] &= ~RIGHT if end == self.width or not bits[end] & LEFT else 15
        self._chars[y][x:end] = [self._glyphs[cell] for cell in bits[x:end]]
        self._styles[y][x:end] = [style] * (end - x)

    def vline(self, x: int, y: int, h: int, style: str = "frame") -> None:
        """A line of ``h`` cells downwards; its ends join what they meet."""
        if not 0 <= x < self.width:
            return
        first, end = max(0, y), min(self.height, y + h)
        for row in range(first, end):
            self._bits[row][x] |= (UP if row > first else 0) | (DOWN if row < end - 1 else 0)
            self._chars[row][x] = self._glyphs[self._bits[row][x]]
            self._styles[row][x] = style

    def anchor(self, name: str, x: int, y: int, w: int = 1, h: int = 1) -> None:
        """Name a place; the first to take a name keeps it."""
        self.anchors.setdefault(name, Rect(x, y, w, h))

    def hit(self, action: str, x: int, y: int, w: int, h: int = 1) -> None:
        """Add a mouse target."""
        self.hits.append(Hit(Rect(x, y, w, h), action))

    def action_at(self, x: int, y: int) -> str:
        """What a click on that cell means, empty for nothing."""
        return next((hit.action for hit in reversed(self.hits) if hit.rect.holds(x, y)), "")

    def rows(self) -> list[list[Span]]:
        """Every row as runs of one style, together exactly ``width`` cells."""
        return [_runs(chars, styles) for chars, styles in zip(self._chars, self._styles, strict=True)]

    def text_rows(self) -> list[str]:
        """Every row as plain text."""
        return ["".join(chars) for chars in self._chars]

    def __str__(self) -> str:
        return "\n".join(row.rstrip() for row in self.text_rows()) + "\n"


def _runs(chars: list[str], styles: list[str]) -> list[Span]:
    spans = []
    start = 0
    for x in range(1, len(styles) + 1):
        if x == len(styles) or styles[x] != styles[start]:
            spans.append(Span("".join(chars[start:x]), styles[start]))
            start = x
    return spans
