"""One step of a run, as C or as strace has it: what the screen's ``x`` and the plain twin's ``--as`` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tour.trace import events as ev
from tour.trace.export import c, strace
from tour.trace.export.walk import program

Form = Literal["c", "strace"]
FORMS: tuple[Form, ...] = ("c", "strace")


def step_lines(events: Sequence[ev.Event], step: str, form: Form) -> list[str]:
    """The lines of ``step``, none for one that has not begun. Raises ExportError."""
    if form == "strace":
        return strace.text(events, step).splitlines()
    return c.step_text(program(events), step).splitlines()
