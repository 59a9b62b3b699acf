"""The catalogue of named violations as it stands in ``catalogue.toml``: what is done, and what must become of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from tour.errors import MessageFault, RingFault

Verdict = Literal["REJECT", "BROKEN", "PASS", "SPINS"]
Kind = Literal["ring", "message", "act"]
VICTIMS = ("python", "engine", "socket", "kernel")
"""The embedded device's two gears, our vhost-user server over its socket, Linux's vhost-net."""
_FILE = Path(__file__).parent / "catalogue.toml"


@dataclass(frozen=True)
class Violation:
    """One entry. ``how`` are the numbers of a ring's or message's violation; an act is a function of that name.

    ``reason`` is the name of a RingFault (BROKEN) or MessageFault (REJECT), '' where it may be any.
    """

    id: str
    kind: Kind
    en: str
    zh: str
    spec: str
    verdict: Verdict
    reason: str
    on: tuple[str, ...]
    kernel: Verdict
    kernel_en: str
    kernel_zh: str
    how: dict[str, Any] = field(repr=False)

    def expected(self, victim: str) -> Verdict:
        """The verdict that ``victim`` must come to."""
        return self.kernel if victim == "kernel" else self.verdict

    def said(self) -> str:
        """The reason as events say it, '' where it may be any."""
        if not self.reason:
            return ""
        return RingFault[self.reason].value if self.reason in RingFault.__members__ else MessageFault[self.reason].value


_TOLD = ("id", "en", "zh", "spec", "verdict", "reason", "on", "kernel", "kernel_en", "kernel_zh")


def _entry(kind: Kind, raw: dict[str, Any]) -> Violation:
    everywhere = ("socket",) if kind == "message" else VICTIMS
    return Violation(
        raw["id"], kind, raw["en"], raw["zh"], raw["spec"], raw["verdict"], raw.get("reason", ""),
        tuple(raw.get("on", everywhere)), raw.get("kernel", raw["verdict"]), raw.get("kernel_en", ""),
        raw.get("kernel_zh", ""), {key: value for key, value in raw.items() if key not in _TOLD},
    )  # fmt: skip


@cache
def catalogue() -> tuple[Violation, ...]:
    """Every entry, in the order of the file."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    return tuple(_entry(kind, raw) for kind in get_args(Kind) for raw in data[kind])


def against(victim: str) -> tuple[Violation, ...]:
    """The entries that ``victim`` is attacked with; what may never end comes last."""
    chosen = [entry for entry in catalogue() if victim in entry.on]
    return tuple(sorted(chosen, key=lambda entry: entry.expected(victim) == "SPINS"))
