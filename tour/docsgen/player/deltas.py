"""From one still to the next: the least that has to be put in its place. What a browser applies, and a test too."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]
Delta = list[tuple[Path, Any]]
"""Places and what is put there, in order; a place is a way of keys and indices from the whole still."""


def delta(before: Any, after: Any, way: Path = ()) -> Delta:
    """What turns ``before`` into ``after``. Both are what JSON has; the keys of an object are never taken away."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() <= after.keys():
        return [step for key in after for step in _inner(before, after, key, way)]
    if isinstance(before, list) and isinstance(after, list) and before and len(before) == len(after):
        return [step for at in range(len(after)) for step in delta(before[at], after[at], (*way, at))]
    return [(way, after)]


def _inner(before: dict[str, Any], after: dict[str, Any], key: str, way: Path) -> Delta:
    return delta(before[key], after[key], (*way, key)) if key in before else [((*way, key), after[key])]


def apply(still: Any, changes: Delta) -> Any:
    """``still`` with ``changes`` put in their places, in place where that can be; returns it. ``changes`` stay as they
    are, whatever is put into what they brought."""
    for way, value in changes:
        if not way:
            still = deepcopy(value)
            continue
        inner = still
        for key in way[:-1]:
            inner = inner[key]
        inner[way[-1]] = deepcopy(value)
    return still
