"""Fold, the part of measuring: figures, plots and listings by name, and a guest's processor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tour.trace import events as ev
from tour.trace.state import CpuState, State

Changes = tuple[State, Iterable[str]]
NAMES_MAX = 200
"""Figures, plots and listings a state keeps, each."""


def _figure(state: State, data: ev.Figure) -> Changes:
    figures = _put(state.figures, data.name, data.value)
    return replace(state, figures=figures), (f"figure.{data.name}",)


def _point(state: State, data: ev.Point) -> Changes:
    points = (*state.plots.get(data.plot, ()), data)[-ev.POINTS_MAX :]
    return replace(state, plots=_put(state.plots, data.plot, points)), (f"plot.{data.plot}",)


def _listing(state: State, data: ev.Listing) -> Changes:
    rows = tuple(tuple(row) for row in data.rows[: ev.ROWS_MAX])
    return replace(state, listings=_put(state.listings, data.name, rows)), (f"listing.{data.name}",)


def _put(known: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    if name not in known and len(known) >= NAMES_MAX:
        raise ValueError(f"more than {NAMES_MAX} names")
    return known | {name: value}


def _program(state: State, data: ev.Program) -> Changes:
    cpu = replace(state.cpu or CpuState(), program=data.name, lines=tuple(data.lines[: ev.ROWS_MAX]))
    return replace(state, cpu=cpu), ("cpu.program",)


def _cpu(state: State, data: ev.Cpu) -> Changes:
    before = state.cpu or CpuState()
    words = {"ip": data.ip, "returns": data.returns, "exits": data.exits, "interrupts": data.interrupts}
    after = replace(before, registers=data.registers, halted=data.halted, **words)
    keys = [f"cpu.{name}" for name, value in words.items() if getattr(before, name) != value]
    keys += [f"cpu.{name}" for name, value in data.registers.items() if before.registers.get(name) != value]
    return replace(state, cpu=after), [*keys, *(["cpu.halted"] if before.halted != data.halted else [])]


def _exit(state: State, data: ev.Exit) -> Changes:
    cpu = replace(state.cpu or CpuState(), reason=data.reason, port=data.port, value=data.value)
    return replace(state, cpu=cpu), ("cpu.reason",)


MEASURE_HANDLERS: dict[type, Callable[[State, Any], Changes]] = {
    ev.Figure: _figure, ev.Point: _point, ev.Listing: _listing, ev.Program: _program, ev.Cpu: _cpu, ev.Exit: _exit,
}  # fmt: skip
