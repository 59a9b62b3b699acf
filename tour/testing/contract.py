"""Every case of the suite, in one place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from tour.testing import backend, memory, order, ports, receive, silence, stopping, transmit, violation, vring
from tour.testing.case import Answer, Case, Factory

_PARTS = (order, vring, memory, backend, transmit, receive, silence, stopping, violation, ports)
cases: tuple[Case, ...] = tuple(chain(*(part.SUITE for part in _PARTS)))
"""All cases. Names are unique across the parts."""


def answers(
    factory: Factory, chosen: tuple[Case, ...] = cases, told: Callable[[str, Answer], None] | None = None
) -> dict[str, Answer]:
    """What the devices made by ``factory`` answer, case by case; ``told`` hears each as it comes."""
    got: dict[str, Answer] = {}
    for case in chosen:
        got[case.name] = case.ask(factory)
        if told:
            told(case.name, got[case.name])
    return got
