"""From the options to a player: which agent it will talk to, and what that falls back to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tour.agent import client, protocol
from tour.agent.player import Connect
from tour.agent.session import Session
from tour.cli.options import Where
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.model import Lesson

DEVICES = ("auto", "kernel", "embedded", "replay")


def connector(where: Where, lesson: Lesson, lang: Lang, say: Callable[[str], None]) -> Connect:
    """What makes sessions for these options. Raises CapabilityMissing when something asked for is missing."""
    if where.device not in DEVICES:
        raise UsageError(f"There is no device '{where.device}'.", f"Choose one of {', '.join(DEVICES)}.")
    if where.lab:
        return _lab(where)
    missing = client.can_run_live()
    if where.device == "replay" or (missing is not None and where.device == "auto" and not required(missing.name)):
        if missing is not None and where.device == "auto":
            say(t(lang, "cli.falling_back", why=missing.what))
        return lambda command: client.connect_replay(lesson.recording_path())
    if missing is not None:
        raise missing
    return _checked_local(where)


def required(name: str) -> bool:
    """Whether TOUR_REQUIRE names this capability: then its absence is a failure, never a fallback."""
    return name in os.environ.get("TOUR_REQUIRE", "").split(",")


def _checked_local(where: Where) -> Connect:
    def connect(command: protocol.Open) -> Session:
        return client.connect_local(command)

    if where.device == "auto" and required("kernel"):
        return lambda command: client.connect_local(msgspec.structs.replace(command, device="kernel"))
    return connect


def _lab(where: Where) -> Connect:
    from tour.agent.client_lab import connect_lab

    folder = Path(where.kernel) if where.kernel else None
    return lambda command: connect_lab(command, folder)
