"""From the options to a player: which agent it will talk to, and what that falls back to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from tour.agent import client
from tour.agent.player import Connect, Player
from tour.cli.options import Where
from tour.errors import CapabilityMissing, UsageError
from tour.i18n import Lang, local, t
from tour.lesson.model import Lesson

DEVICES = ("auto", "kernel", "embedded", "engine", "replay")
LIVE = {"embedded", "tun", "kernel"}
"""Capabilities that only a live run can have."""


def connector(where: Where, lesson: Lesson, lang: Lang, say: Callable[[str], None]) -> Connect:
    """What makes sessions for these options. Raises CapabilityMissing when something asked for is missing."""
    if where.device not in DEVICES:
        raise UsageError(f"There is no device '{where.device}'.", f"Choose one of {', '.join(DEVICES)}.")
    if where.ssh:
        return _ssh(where)
    if where.lab:
        return _lab(where)
    if where.device == "replay":
        return _replayed(lesson)
    missing, replaced = client.can_run_live(), LIVE
    if missing is None and where.device == "auto":
        missing = _lacking(lesson)
        replaced = {missing.name, "kernel"} if missing else set()
    if missing is None:
        return client.connect_local
    if where.device != "auto" or replaced & requirements():
        raise missing
    say(t(lang, "cli.falling_back", why=local(lang, missing.what)))
    if sys.platform.startswith("linux"):
        say(t(lang, "cli.mend", fix=local(lang, missing.fix)))
    return _replayed(lesson)


def _replayed(lesson: Lesson) -> Connect:
    return lambda command: client.connect_replay(lesson.recording_path())


def _lacking(lesson: Lesson) -> CapabilityMissing | None:
    """What the lesson needs to run live and this machine does not have."""
    if not lesson.needs:
        return None
    from tour.agent.probes import isolated, lab

    found = next((one for one in (*isolated(), *lab()) if one.name in lesson.needs and not one.ok), None)
    return CapabilityMissing(found.name, found.what, found.why, found.fix) if found else None


def prepare(where: Where) -> None:
    """Connect to the other machine, if one is wanted, while ssh may still ask for a password on the terminal.
    Raises UsageError, CapabilityMissing("ssh")."""
    if where.ssh:
        _ssh(where)


def wanted_device(where: Where) -> str:
    """The device to ask the agent for: what TOUR_REQUIRE names may not be replaced by something less."""
    return "kernel" if where.device == "auto" and "kernel" in requirements() else where.device


def requirements() -> set[str]:
    """What TOUR_REQUIRE names: the absence of these is a failure, never a reason for something less."""
    return {name.strip() for name in os.environ.get("TOUR_REQUIRE", "").split(",")}


def check_port(player: Player) -> None:
    """Raises CapabilityMissing when TOUR_REQUIRE names tun and the agent got something else in its place."""
    hello = player.timeline.edge.hello
    live = player.session is not None and player.session.kind == "live"
    if live and hello is not None and hello.net == "socketpair" and "tun" in requirements():
        raise CapabilityMissing("tun", "TOUR_REQUIRE names tun, but there is no tap.", hello.why_not_tap)


def _lab(where: Where) -> Connect:
    from tour.agent.client_lab import connect_lab

    return lambda command: connect_lab(command, where.kernel)


def _ssh(where: Where) -> Connect:
    from tour.agent.client_ssh import connect_ssh, link

    if where.lab or where.device == "replay":
        raise UsageError("--ssh goes with neither --lab nor --device replay.", "The agent runs on one machine.")
    link(where.ssh)
    return lambda command: connect_ssh(command, where.ssh)
