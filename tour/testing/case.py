"""A case of the suite: a name, what it does to a bench, and the answer it brings back."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tour.device.contract import VhostDevice
from tour.errors import CapabilityMissing
from tour.testing.bench import Bench

SKIPPED = "skipped"
Answer = Any
"""Plain JSON: text, numbers, lists and dicts."""
Factory = Callable[[], VhostDevice]


@dataclass(frozen=True)
class Case:
    """One question to a device. ``part`` is ``acceptance`` (errno and what is accepted) or ``behaviour``."""

    name: str
    part: str
    run: Callable[[Bench], Answer]

    def ask(self, factory: Factory) -> Answer:
        """The answer of a fresh device; text beginning with 'crashed' when the case itself failed, with 'skipped' when
        it wants links this machine does not allow. Raises CapabilityMissing for anything else that is missing."""
        try:
            with Bench(factory) as bench:
                return self.run(bench)
        except CapabilityMissing as missing:
            if missing.name != "links":
                raise
            return f"{SKIPPED}: {missing.what}"
        except Exception as error:  # noqa: BLE001 - one failing case must not hide the others
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"crashed: {type(error).__name__}: {error} ({where.name}:{where.lineno})"


class Suite:
    """Cases in the order they were written; names are unique."""

    def __init__(self, part: str) -> None:
        self.part = part
        self._cases: dict[str, Case] = {}

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases.values())

    def case(self, run: Callable[[Bench], Answer]) -> Callable[[Bench], Answer]:
        """Register a function; its name, with spaces, is the case's."""
        self.add(run.__name__.strip("_").replace("_", " "), run)
        return run

    def add(self, name: str, run: Callable[[Bench], Answer]) -> None:
        """Register ``run`` as ``name``. Raises ValueError when the name is taken."""
        if name in self._cases:
            raise ValueError(f"two cases are called {name!r}")
        self._cases[name] = Case(name, self.part, run)


def outcome(call: Callable[..., object], *args: object) -> str:
    """``'0'``, the value a call returned as text, or the name of its errno."""
    try:
        value = call(*args)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, f"errno {error.errno}")
    return "0" if value is None else str(value)


def compare(expected: dict[str, Answer], got: dict[str, Answer]) -> Iterable[tuple[str, Answer, Answer]]:
    """(name, expected, got) for every case that differs or is missing on one side."""
    for name in sorted(expected.keys() | got.keys()):
        if expected.get(name) != got.get(name):
            yield name, expected.get(name), got.get(name)
