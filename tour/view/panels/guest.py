"""A guest's processor in KVM: its counts, its registers, its program line by line.

``>`` marks the next line; ``<`` the one that the subroutine it is in returns to (the register ``back``: the word on top
of its stack), which says where in the whole it stands.
"""

from __future__ import annotations

from tour.lesson import labels
from tour.trace.state import CpuState
from tour.view.area import Area, View
from tour.view.canvas import width_of
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows
from tour.view.text import cut

MARK, ADDRESS, CODE, TEXT, WORD = 0, 2, 8, 22, 50
CELLS = 2
TALL = 14
"""Columns of a program's line; where the rows above it begin; rows it takes where there is room."""


def draw(area: Area, view: View) -> None:
    """As a panel: registers first, then the program around the next line."""
    found = rows(view, area.w)
    draw_rows(area, found, view.ui.scroll.get("guest", _in_sight(found, area.h)))


def _in_sight(found: list[Row], h: int) -> int:
    """How far to scroll so that the marked line is seen."""
    marks = {row[0].text: y for y, row in enumerate(found) if row and row[0].x == MARK}
    marked = marks.get("<", marks.get(">", 0))
    return max(0, min(marked - h // 2, len(found) - h))


def rows(view: View, w: int) -> list[Row]:
    """Registers and counts, then the program."""
    cpu = view.state.cpu
    if cpu is None:
        return plain_rows(view.tr("guest.none"), w, "dim")
    told = [] if cpu.ip is None else [_counts(view, cpu, w), _registers(view, cpu, w)]
    return [*told, *(_line(view, cpu, at, w) for at in range(len(cpu.lines)))]


def _counts(view: View, cpu: CpuState, w: int) -> Row:
    """What it does, and what was counted of it by us and by KVM."""
    doing = view.tr("guest.halted" if cpu.halted else "guest.between")
    counts = {"returns": cpu.returns, "exits": cpu.exits, "interrupts": cpu.interrupts}
    cells = [(doing, "cpu.halted")]
    cells += [(view.tr(f"guest.{name}", n=n), f"cpu.{name}") for name, n in counts.items() if n is not None]
    return _in_a_row(view, cells, w)


def _registers(view: View, cpu: CpuState, w: int) -> Row:
    named = {"ip": cpu.ip, **cpu.registers}
    return _in_a_row(view, [(f"{name} {value:#x}", f"cpu.{name}") for name, value in named.items()], w)


def _in_a_row(view: View, cells: list[tuple[str, str]], w: int) -> Row:
    """As many (text, key of the state) as fit side by side."""
    row, x = [], CELLS
    for text, key in cells:
        if x + width_of(text) > w:
            break
        row.append(Piece(x, text, view.style(key, "driver")))
        x += width_of(text) + 2
    return row


def _line(view: View, cpu: CpuState, at: int, w: int) -> Row:
    line = cpu.lines[at]
    mark = ">" if cpu.ip == line.gpa else "<" if cpu.registers.get("back") == line.gpa else " "
    style = "driver+now" if mark != " " else "text"
    row = [
        Piece(MARK, mark, "driver"), Piece(ADDRESS, f"{line.gpa:#x}", "dim"),
        Piece(CODE, line.code[:12], "dim"), Piece(TEXT, cut(line.text, WORD - TEXT - 1), style),
    ]  # fmt: skip
    if w > WORD + LEAST_WORD and line.word:
        row.append(Piece(WORD, cut(labels.word(view.state.lesson, line.word, view.lang), w - WORD), "dim"))
    return row


LEAST_WORD = 10
