"""Rows of styled pieces: what the panels that flow (story, prediction, next) are made of before they are drawn."""

from __future__ import annotations

import re

import msgspec

from tour.view.area import Area
from tour.view.canvas import plain, width_of
from tour.view.text import cut, wrap

_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\([^)]*\)")
_CJK_JOIN = re.compile(r"(?<=[\u2e80-\uffef])\n(?=[\u2e80-\uffef])")


class Piece(msgspec.Struct, frozen=True):
    """Text at a column, with a mouse action where it has one."""

    x: int
    text: str
    style: str = "text"
    action: str = ""


Row = list[Piece]


def text_rows(text: str, w: int, style: str = "text") -> list[Row]:
    """Markdown subset (paragraphs, ``code``, **bold**, lists) as wrapped rows of at most ``w`` cells."""
    rows: list[Row] = []
    for number, paragraph in enumerate(_paragraphs(text)):
        if number and not paragraph.startswith("- "):
            rows.append([])
        rows += _inline_rows(paragraph, w, style)
    return rows


def _paragraphs(text: str) -> list[str]:
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        for item in re.split(r"\n(?=- )", block):
            found.append(_CJK_JOIN.sub("", item).replace("\n", " ").strip())
    return [paragraph for paragraph in found if paragraph]


def _inline_rows(text: str, w: int, style: str) -> list[Row]:
    bare, styles = _inline(text, style)
    rows: list[Row] = []
    at = 0
    for line in wrap(bare, w):
        at = max(bare.find(line, at), at) if line else at
        rows.append(_styled(line, styles[at : at + len(line)]))
        at += len(line)
    return rows


def _inline(text: str, style: str) -> tuple[str, list[str]]:
    bare, styles = "", []
    at = 0
    for match in _INLINE.finditer(text):
        before = plain(text[at : match.start()])
        inner = plain(next(group for group in match.groups() if group))
        look = "code" if match.group(1) else "key" if match.group(2) or match.group(3) else style
        bare += before + inner
        styles += [style] * len(before) + [look] * len(inner)
        at = match.end()
    rest = plain(text[at:])
    return bare + rest, styles + [style] * len(rest)


def _styled(line: str, styles: list[str]) -> Row:
    row: Row = []
    x = start = 0
    for index in range(1, len(line) + 1):
        if index == len(line) or styles[index : index + 1] != styles[start : start + 1]:
            look = styles[start] if start < len(styles) else "text"
            row.append(Piece(x, line[start:index], look))
            x += width_of(line[start:index])
            start = index
    return row


def runs(text: str) -> list[list[tuple[str, str]]]:
    """The same as paragraphs, unwrapped: each its pieces with their styles (``text``, ``code``, ``key``)."""
    found = []
    for paragraph in _paragraphs(text):
        bare, styles = _inline(paragraph, "text")
        found.append([(piece.text, piece.style) for piece in _styled(bare, styles)])
    return found


def plain_rows(text: str, w: int, style: str = "text") -> list[Row]:
    """Text as it is (newlines kept), wrapped."""
    return [[Piece(0, line, style)] for line in wrap(text, w)] if text else []


def draw_rows(area: Area, rows: list[Row], scroll: int = 0, more: str = "") -> None:
    """Rows from ``scroll`` on; ``more`` marks at the right that rows are left below."""
    scroll = max(0, min(scroll, len(rows) - area.h))
    marked = len(rows) - scroll > area.h > 0 and bool(more)
    for y, row in enumerate(rows[scroll : scroll + area.h]):
        room = area.w - (width_of(more) + 1 if marked and y == area.h - 1 else 0)
        for piece in row:
            area.put(piece.x, y, cut(piece.text, max(0, room - piece.x)), piece.style)
            if piece.action:
                area.hit(piece.action, piece.x, y, width_of(piece.text))
    if marked:
        area.right(area.h - 1, f" {more}", "warn")
