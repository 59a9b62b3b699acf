"""A guest's processor in KVM: its program line by line with the next one marked, its registers."""

from __future__ import annotations

from tour.lesson import labels
from tour.trace.state import CpuState
from tour.view.area import Area, View
from tour.view.panels.rows import Piece, Row, draw_rows, plain_rows
from tour.view.text import cut

MARK, ADDRESS, CODE, TEXT, WORD = 0, 2, 10, 24, 50
"""Columns of a program's line."""


def draw(area: Area, view: View) -> None:
    """As a panel: registers first, then the program around the next line."""
    found = rows(view, area.w)
    draw_rows(area, found, view.ui.scroll.get("guest", _in_sight(found, area.h)))


def _in_sight(found: list[Row], h: int) -> int:
    """How far to scroll so that the marked line is seen."""
    marked = next((y for y, row in enumerate(found) if row and row[0].text == ">"), 0)
    return max(0, min(marked - h // 2, len(found) - h))


def rows(view: View, w: int) -> list[Row]:
    """Registers and counts, then the program."""
    cpu = view.state.cpu
    if cpu is None:
        return plain_rows(view.tr("guest.none"), w, "dim")
    return [*_registers(view, cpu, w), *(_line(view, cpu, at, w) for at in range(len(cpu.lines)))]


def _registers(view: View, cpu: CpuState, w: int) -> list[Row]:
    row, x = [], 0
    named = {"ip": cpu.ip, **cpu.registers}
    for name, value in named.items():
        if value is None:
            continue
        text = f"{name} {value:#x}"
        if x + len(text) > w:
            break
        row.append(Piece(x, text, view.style(f"cpu.{name}", "driver")))
        x += len(text) + 2
    return [row] if row else []


def _line(view: View, cpu: CpuState, at: int, w: int) -> Row:
    line = cpu.lines[at]
    here = cpu.ip == line.gpa
    style = "driver+now" if here else "text"
    row = [
        Piece(MARK, ">" if here else " ", "driver"), Piece(ADDRESS, f"{line.gpa:#x}", "dim"),
        Piece(CODE, line.code[:12], "dim"), Piece(TEXT, cut(line.text, WORD - TEXT - 1), style),
    ]  # fmt: skip
    if w > WORD + LEAST_WORD and line.word:
        row.append(Piece(WORD, cut(labels.word(view.state.lesson, line.word, view.lang), w - WORD), "dim"))
    return row


LEAST_WORD = 10
