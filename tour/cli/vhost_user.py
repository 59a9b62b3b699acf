"""``tour vhost-user``: a vhost-user server for guests that nobody here wrote."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import msgspec

from tour.abi import libc
from tour.agent.serve import ServeOptions, serve
from tour.agent.spawn import environment
from tour.agent.watch_door import SUFFIX
from tour.cli.output import say, tell_bytes
from tour.errors import TimedOut, UsageError
from tour.i18n import Lang, t
from tour.trace import events as ev
from tour.trace.recorder import Sink
from tour.trace.state import State
from tour.trace.store import Writer
from tour.view.words import sentence

PORTS = ("socketpair", "null")
START_SECONDS = 15.0


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
    if options.watch:
        return _watched(options)
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


def _watched(options: VhostUserOptions) -> int:
    """The server in a process of its own, and its picture here, until the person leaves or the server ends."""
    from tour.cli.watch import WatchOptions, watch

    if options.json:
        raise UsageError("--watch draws on the terminal, --json writes there.", "Only one of them can be had.")
    with tempfile.TemporaryFile() as said:
        server = _start(options, said)
        try:
            if _listens(server, options.socket):
                watch(WatchOptions(options.lang, options.socket))
            elif server.poll() is None:
                raise TimedOut("The server did not begin to listen in time.")
        finally:
            server.terminate()
            code = server.wait()
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                say(line)
    return max(0, code)


def _start(options: VhostUserOptions, said: BinaryIO) -> subprocess.Popen[bytes]:
    """The same command without a picture; it ends with us, however we end."""
    words = ["--socket", options.socket, "--lang", options.lang, "--queues", str(options.queues)]
    words += ["--busy-poll", str(options.busy_poll), "--gear", options.gear]
    named = {"--tap": options.tap, "--port": options.port, "--exec": options.command, "-o": options.output}
    words += [word for name, value in named.items() if value for word in (name, value)]
    words += ["--netns"] * options.netns + ["--once"] * options.once
    return subprocess.Popen(
        [sys.executable, "-m", "tour.cli", "vhost-user", *words], env=environment(None), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
        preexec_fn=lambda: libc.prctl_pdeathsig(signal.SIGTERM),  # noqa: PLW1509 - no thread exists yet
    )  # fmt: skip


def _listens(server: subprocess.Popen[bytes], path: str) -> bool:
    """Wait until the watch door is there, or the server has ended."""
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        if Path(path + SUFFIX).is_socket():
            return True
        time.sleep(0.02)
    return False


def _narrator(options: VhostUserOptions) -> Sink:
    """Says on standard error who came and went, what was refused and which ring is broken."""

    def narrate(event: ev.Event) -> None:
        data = event.data
        if isinstance(data, ev.Note | ev.Broken | ev.Error) or (isinstance(data, ev.Message) and data.result):
            say(sentence(event, State(), options.lang))

    return narrate
