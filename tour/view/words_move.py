"""The sentence about which of several devices is spoken to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tour.trace import events as ev
from tour.view.say import Say


def _serving(say: Say, data: ev.Serving) -> str:
    kind = "engine" if data.gear == "engine" else data.device
    return say(f"serving_{'first' if data.number == 0 else 'other'}", device=say.raw(f"say.serving.{kind}"))


TELLERS: dict[type, Callable[[Say, Any], str]] = {ev.Serving: _serving}
