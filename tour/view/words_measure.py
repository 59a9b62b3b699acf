"""Sentences about what was measured and listed, and about a guest's processor in KVM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.lesson import labels
from tour.trace import events as ev
from tour.view.say import Say


def _figure(say: Say, data: ev.Figure) -> str:
    lesson = say.state.lesson
    label = labels.figure_label(lesson, data.name, say.lang)
    return say("figure", label=label, value=labels.figure_value(lesson, data.name, data.value, say.lang))


def _point(say: Say, data: ev.Point) -> str:
    return say("point", plot=data.plot, series=data.series, x=labels.number(data.x), y=labels.number(data.y))


def _listing(say: Say, data: ev.Listing) -> str:
    spec = next((one for one in labels.listings(say.state.lesson) if one.name == data.name), None)
    return say("listing", title=spec.title.get(say.lang) if spec else data.name, n=len(data.rows))


def _program(say: Say, data: ev.Program) -> str:
    at = data.lines[0].gpa if data.lines else 0
    return say("program", n=sum(len(line.code) // 2 for line in data.lines), gpa=f"{at:#x}")


def _cpu(say: Say, data: ev.Cpu) -> str:
    return say("cpu_halted" if data.halted else "cpu", ip=f"{data.ip:#x}", n=data.returns)


def _exit(say: Say, data: ev.Exit) -> str:
    if data.port is None:
        return say("exit", reason=data.reason)
    return say("exit_port", reason=data.reason, port=f"{data.port:#x}", value=data.value, n=data.size)


TELLERS: dict[type, Callable[[Say, Any], str]] = {
    ev.Figure: _figure, ev.Point: _point, ev.Listing: _listing, ev.Program: _program, ev.Cpu: _cpu, ev.Exit: _exit,
}  # fmt: skip
