"""What the run measured: its figures by name, then its listings as tables, in the lesson's order and words."""

from __future__ import annotations

from tour.i18n import Lang
from tour.lesson import labels
from tour.lesson.model import ListingSpec
from tour.trace.state import State
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows
from tour.view.panels.vhost import in_sight
from tour.view.text import cut, wrap

GAP = 2
LEAST = 6
"""Cells between two columns, and of a column that must give way."""


def draw(area: Area, view: View) -> None:
    """As a panel; what just changed is scrolled into sight."""
    found = rows(view, area.w)
    words = view.tr("story.scroll") if view.wide else ""
    draw_rows(area, found, view.ui.scroll.get("figures", _sight(found, area.h)), words)


def _sight(found: list[Row], h: int) -> int:
    """Where to begin: what just changed is in sight, a table's title and head with its first row."""
    top = in_sight(found, h)
    under_head = top > 1 and any(piece.style == "dim" for piece in found[top - 1])
    return top - 2 if under_head else top


def rows(view: View, w: int) -> list[Row]:
    """Figures in two columns where they fit, then each listing with its head."""
    found = _figures(view, w)
    for spec in labels.listings(view.state.lesson):
        if spec.name in view.state.listings:
            lit = view.style(f"listing.{spec.name}", "text")
            found += [*([[]] if found else []), *_listing(view.state, spec, view.lang, w, lit)]
    return found or plain_rows(view.tr("figures.none"), w, "dim")


def _figures(view: View, w: int) -> list[Row]:
    """One a row: label, value; a value nobody has a label for goes by its name."""
    state, lesson = view.state, view.state.lesson
    known = [spec.name for spec in labels.figures(lesson)]
    names = [name for name in known if name in state.figures] + [name for name in state.figures if name not in known]
    found = []
    for name in names:
        label = labels.figure_label(lesson, name, view.lang)
        value = labels.figure_value(lesson, name, state.figures[name], view.lang)
        lit = view.style(f"figure.{name}", "key")
        room = max(LEAST, w - width_of(value) - GAP)
        found.append([Piece(0, cut(label, room), "text"), Piece(min(width_of(label), room) + GAP, value, lit)])
    return found


def listing_lines(state: State, name: str, lang: Lang, w: int) -> list[str]:
    """The same table as plain lines of at most ``w`` cells, its title first; nothing for one without a head."""
    specs = [spec for spec in labels.listings(state.lesson) if spec.name == name and name in state.listings]
    return [_line(row) for spec in specs for row in _listing(state, spec, lang, w, "text")]


def _line(row: Row) -> str:
    text = ""
    for piece in row:
        text += " " * (piece.x - width_of(text)) + piece.text
    return text.rstrip()


def _listing(state: State, spec: ListingSpec, lang: Lang, w: int, lit: str) -> list[Row]:
    heads = [column.get(lang) for column in spec.column]
    cells = [[labels.word(state.lesson, cell, lang) for cell in row[: len(heads)]] for row in state.listings[spec.name]]
    widths = _widths([heads, *cells], w)
    found = plain_rows(spec.title.get(lang), w, "title") + _table_row(heads, widths, "dim")
    for row in cells:
        found += _table_row(row, widths, lit)
    return found


def _widths(table: list[list[str]], w: int) -> list[int]:
    """Cells of each column: what its widest cell takes, the widest columns giving way until all fit."""
    count = max(len(row) for row in table)
    widths = [max((width_of(row[at]) for row in table if at < len(row)), default=0) for at in range(count)]
    while sum(widths) + GAP * (count - 1) > w and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _table_row(cells: list[str], widths: list[int], style: str) -> list[Row]:
    """A row of the table; a cell that does not fit goes on below."""
    folded = [wrap(cell, width) if cell else ("",) for cell, width in zip(cells, widths, strict=False)]
    found: list[Row] = []
    for at in range(max((len(lines) for lines in folded), default=0)):
        x, row = 0, []
        for lines, width in zip(folded, widths, strict=False):
            if at < len(lines):
                row.append(Piece(x, lines[at], style))
            x += width + GAP
        found.append(row)
    return found
