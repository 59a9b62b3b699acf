"""Rates of the queue chosen: exact where the device counts, with a ``~`` where only indices were seen."""

from __future__ import annotations

from tour.view.area import Area
from tour.view.canvas import width_of
from tour.view.watch.look import Look, amount, bits

LEAST = 18
"""Cells a rate takes with its name."""


def draw(area: Area, look: Look) -> None:
    """Two rows of names and numbers, as many as fit."""
    speeds = look.speeds
    guess = "~" if speeds.guessed else ""
    packet = speeds.packets or 0
    first = [
        ("packets", amount(speeds.packets)), ("bits", bits(speeds.bits)), ("chains", guess + amount(speeds.chains)),
        ("dropped", amount(speeds.dropped)),
        ("size", amount(speeds.bits / 8 / packet) if speeds.bits and packet else "-"),
    ]  # fmt: skip
    second = [
        ("kicks", amount(speeds.kicks)), ("calls", amount(speeds.calls)), ("saved", amount(speeds.calls_saved)),
        ("turns", amount(speeds.turns)),
        ("batch", amount(speeds.packets / speeds.turns) if speeds.packets and speeds.turns else "-"),
    ]  # fmt: skip
    fitting = min(len(first), area.w // LEAST)
    for y, row in enumerate((first, second)):
        _row(area, y, look, row[:fitting])


def _row(area: Area, y: int, look: Look, row: list[tuple[str, str]]) -> None:
    shown = [(look.say(f"rate.{name}"), value) for name, value in row]
    stride = area.w // len(shown)
    for index, (name, value) in enumerate(shown):
        x = index * stride
        end = area.put(x, y, name, "dim", limit=stride - 1)
        area.put(end + 1, y, value, "text", limit=max(0, stride - 2 - width_of(name)))
