"""The lesson's plots, of points measured in this run: a mark a series in terminal cells, axes with round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from tour.lesson import labels
from tour.lesson.model import PlotSpec
from tour.trace.events import Point
from tour.view.area import Area, View
from tour.view.canvas import Canvas, width_of
from tour.view.panels.rows import draw_rows, plain_rows
from tour.view.text import cut

MARKS = "ox+#%@"
"""Of the series in their order: letters and signs that every terminal has, and that differ without colour."""
SEVERAL = "*"
ROUND = (1, 2, 5)
LEAST = 5
"""Rows below which there is no picture, but its points in words."""
TALL = 14
GAP = 3
TINY, HUGE = 1e-30, 1e30


class Axis(msgspec.Struct, frozen=True):
    """From ``low`` to ``high``, both round numbers, over ``cells`` cells; ``step`` from tick to tick, 0 on a
    logarithmic one."""

    low: float
    high: float
    cells: int
    step: float = 0

    def at(self, value: float) -> int:
        """The cell of a value, 0 to cells - 1."""
        value = min(self.high, max(self.low, value))
        low, high, value = (one if self.step else math.log10(one) for one in (self.low, self.high, value))
        return round((value - low) / (high - low) * (self.cells - 1))

    def ticks(self) -> list[float]:
        """Round numbers from low to high."""
        if not self.step:
            return [one for one in _decades(self.low, self.high) if self.low <= one <= self.high]
        return [self.low + self.step * number for number in range(round((self.high - self.low) / self.step) + 1)]


def axis(values: Sequence[float], cells: int, *, log: bool) -> Axis:
    """The axis that holds ``values``; a logarithmic one wants them above 0, and is a linear one where they are not."""
    least, most = _sane(min(values)), _sane(max(values))
    if log and least > 0:
        low = max(one for one in _decades(least, most) if one <= least)
        high = min(one for one in _decades(least, most) if one >= most)
        return Axis(low, high if high > low else low * 10, cells)
    least, most = min(0.0, least), max(0.0, most)
    step = _step(most - least or 1)
    low, high = math.floor(least / step) * step, math.ceil(most / step) * step
    return Axis(low, high if high > low else low + step, cells, step)


def _sane(value: float) -> float:
    """``value`` as far as it can be one: a recording may hold any number."""
    return 0.0 if abs(value) < TINY else max(-HUGE, min(HUGE, value))


def _decades(least: float, most: float) -> list[float]:
    """1, 2, 5, 10 … from below ``least`` to above ``most``."""
    first, last = math.floor(math.log10(least)) - 1, math.ceil(math.log10(most)) + 1
    return [digit * 10.0**power for power in range(first, last + 1) for digit in ROUND]


def _step(span: float) -> float:
    """A round number that goes into ``span`` about five times."""
    rough = span / 5
    return next(one for one in _decades(rough, rough) if one >= rough * 0.999)


def draw(area: Area, view: View) -> None:
    """As a panel: the plots that have points, one under another."""
    state = view.state
    specs = [spec for spec in labels.plots(state.lesson) if state.plots.get(spec.name)]
    if not specs:
        draw_rows(area, plain_rows(view.tr("plot.none"), area.w, "dim"), 0)
        return
    each = area.h // len(specs)
    for number, spec in enumerate(specs):
        part = Area(area.canvas, area.x, area.y + number * each, area.w, each)
        points = state.plots[spec.name]
        if each < LEAST:
            draw_rows(part, plain_rows(_in_words(spec, points, view), area.w), 0)
        else:
            _picture(part, spec, points, view)


def _in_words(spec: PlotSpec, points: Sequence[Point], view: View) -> str:
    """Too little room for a picture: the newest points, ``x, y``."""
    names = {line.id: line.label.get(view.lang) for line in spec.series}
    newest = [f"{names.get(one.series, one.series)}: {labels.number(one.x)}, {labels.number(one.y)}" for one in points]
    return f"{spec.x.get(view.lang)}, {spec.y.get(view.lang)}. " + "; ".join(reversed(newest))


def _picture(area: Area, spec: PlotSpec, points: Sequence[Point], view: View) -> None:
    """Names of y and of the series; the cells with y's numbers at the left; x's numbers; the name of x."""
    canvas, rows = area.canvas, area.h - 3
    up = axis([point.y for point in points], rows, log="y" in spec.log)
    left = max(width_of(labels.number(tick)) for tick in up.ticks()) + 1
    right = axis([point.x for point in points], max(2, area.w - left - 2), log="x" in spec.log)
    _legend(area, spec, points, view)
    _numbers_up(canvas, area.x, area.y + 1, up, left)
    canvas.vline(area.x + left, area.y + 1, rows + 1)
    canvas.hline(area.x + left, area.y + 1 + rows, right.cells + 1)
    _numbers_right(canvas, area.x + left + 1, area.y + 2 + rows, right, spec.x.get(view.lang))
    _marks(canvas, area.x + left + 1, area.y + 1, (right, up), spec, points, view)


def _legend(area: Area, spec: PlotSpec, points: Sequence[Point], view: View) -> None:
    """What goes up, then each series that has points, with its mark."""
    seen = {point.series for point in points}
    x = area.canvas.put(area.x, area.y, cut(spec.y.get(view.lang), area.w // 2), "dim") + GAP
    for mark, line in zip(MARKS, spec.series, strict=False):
        if line.id in seen:
            name = f"{mark} {line.label.get(view.lang)}"
            x = area.canvas.put(x, area.y, name, "key", limit=area.x + area.w - x) + GAP


def _numbers_up(canvas: Canvas, x: int, y: int, up: Axis, w: int) -> None:
    """Numbers at the left, right-aligned, the ends first, none on another's row."""
    taken: set[int] = set()
    ticks = up.ticks()
    for tick in dict.fromkeys((ticks[0], ticks[-1], *ticks)):
        row = up.cells - 1 - up.at(tick)
        if row in taken:
            continue
        taken.add(row)
        name = labels.number(tick)
        canvas.put(x + w - 1 - width_of(name), y + row, name, "dim")


def _numbers_right(canvas: Canvas, x: int, y: int, right: Axis, name: str) -> None:
    """Numbers below, the ends first, then the axis' name, then what else has room."""
    free = [True] * (right.cells + 1)

    def place(text: str, at: int) -> None:
        w = width_of(text)
        at = max(0, min(at, right.cells - w))
        if all(free[max(0, at - 1) : at + w + 1]):
            free[at : at + w] = [False] * w
            canvas.put(x + at, y, text, "dim")

    ticks = right.ticks()
    for tick in (ticks[0], ticks[-1]):
        place(labels.number(tick), right.at(tick) - width_of(labels.number(tick)) // 2)
    place(name, (right.cells - width_of(name)) // 2)
    for tick in ticks[1:-1]:
        place(labels.number(tick), right.at(tick) - width_of(labels.number(tick)) // 2)


def _marks(
    canvas: Canvas, x: int, y: int, axes: tuple[Axis, Axis], spec: PlotSpec, points: Sequence[Point], view: View
) -> None:
    """Each point in its cell; where two series meet, one sign for several. The newest is lit while it is new."""
    marks = dict(zip((line.id for line in spec.series), MARKS, strict=False))
    right, up = axes
    put: dict[tuple[int, int], str] = {}
    for number, point in enumerate(points, 1):
        cell = right.at(point.x), up.cells - 1 - up.at(point.y)
        mark = marks.get(point.series, MARKS[-1])
        put[cell] = mark if put.get(cell, mark) == mark else SEVERAL
        style = view.style(f"plot.{spec.name}", "key") if number == len(points) else "key"
        canvas.put(x + cell[0], y + cell[1], put[cell], style)
