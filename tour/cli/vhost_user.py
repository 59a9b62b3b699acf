"""``tour vhost-user``: a vhost-user server for guests that nobody here wrote."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tour.agent.serve import ServeOptions, serve
from tour.cli.output import say, tell_bytes
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.trace import events as ev
from tour.trace.recorder import Sink
from tour.trace.state import State
from tour.trace.store import Writer
from tour.view.words import sentence

PORTS = ("socketpair", "null")


class VhostUserOptions(msgspec.Struct, frozen=True):
    """What ``tour vhost-user`` was asked for."""

    socket: str
    lang: Lang
    tap: str = ""
    netns: bool = False
    port: str = ""
    command: str = ""
    queues: int = 1
    busy_poll: int = 0
    gear: str = "engine"
    once: bool = False
    watch: bool = False
    json: bool = False
    output: str = ""


def vhost_user(options: VhostUserOptions) -> int:
    """Serve until stopped; returns 0. Raises TourError."""
    wanted = _wanted(options)
    writer = Writer(Path(options.output)) if options.output else None
    sinks: list[Sink] = [_narrator(options)]
    sinks += [lambda event: tell_bytes(ev.encode(event))] if options.json else []
    sinks += [writer] if writer else []
    try:
        return serve(wanted, sinks, lambda: say(t(options.lang, "serve.ready", path=options.socket)))
    finally:
        if writer is not None and (kept := writer.close()) is not None:
            say(t(options.lang, "cli.kept", path=kept))


def _wanted(options: VhostUserOptions) -> ServeOptions:
    if bool(options.tap) + options.netns + bool(options.port) > 1:
        raise UsageError("Only one of --tap, --netns and --port can be had.", "", "tour vhost-user --netns")
    if options.port and options.port not in PORTS:
        raise UsageError(f"There is no port '{options.port}'.", "", "choose socketpair or null")
    port = "tap" if options.tap else options.port or "netns"
    if options.command and port != "netns":
        raise UsageError("--exec runs a command in the namespace that --netns makes.", "", "tour vhost-user --netns")
    return ServeOptions(
        options.socket, port, options.tap, options.command, options.queues, options.busy_poll, options.gear,
        options.once,
    )  # fmt: skip


def _narrator(options: VhostUserOptions) -> Sink:
    """Says on standard error who came and went, what was refused and which ring is broken."""

    def narrate(event: ev.Event) -> None:
        data = event.data
        if isinstance(data, ev.Note | ev.Broken | ev.Error) or (isinstance(data, ev.Message) and data.result):
            say(sentence(event, State(), options.lang))

    return narrate
