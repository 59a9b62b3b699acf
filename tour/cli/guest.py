"""``tour guest``: a Linux that nobody here wrote, booted and attached to our vhost-user server, in one command."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tour.cli.output import say, tell
from tour.errors import UsageError
from tour.i18n import Lang, t

if TYPE_CHECKING:
    from tour.guest.machine import Guest
    from tour.guest.server import Server
    from tour.guest.shape import Shape

TRIALS = ("ping", "iperf3")
LEAVE = 0x1D
"""Ctrl-], as telnet has it."""
BLOCK = 65536
DAY = 3600.0 * 24
ENDING = 5.0


class GuestOptions(msgspec.Struct, frozen=True):
    """What ``tour guest`` was asked for."""

    kind: str
    lang: Lang
    machine: str = "microvm"
    kernel: str = ""
    socket: str = ""
    trials: tuple[str, ...] = ()
    command: str = ""
    memory: int = 256
    json: bool = False


def guest(options: GuestOptions) -> int:
    """Boot one and try it, run a command in it, or give its console. Returns the command's exit code, else 0.

    Raises TourError.
    """
    from tour.guest import initramfs, trials

    _check(options)
    initramfs.line(options.command)  # refused before anything starts
    with contextlib.ExitStack() as stack:
        server = None
        path = options.socket or _own_path()
        if not options.socket:
            server = stack.enter_context(_server(path, trials.PEER if "iperf3" in options.trials else ""))
        running = stack.enter_context(_booted(options, path, server))
        say(t(options.lang, "guest.watch", path=path))
        return _use(options, running, server)


def _check(options: GuestOptions) -> None:
    from tour.guest.start import KINDS

    if options.kind not in KINDS:
        raise UsageError(f"There is no guest '{options.kind}'.", "The guests are uml and qemu.", "tour guest uml")
    if unknown := [name for name in options.trials if name not in TRIALS]:
        raise UsageError(f"There is no trial '{unknown[0]}'.", "", "tour guest uml --run ping --run iperf3")
    if options.trials and options.command:
        raise UsageError("Only one of --run and --exec can be had.", "", "tour guest uml --run ping")
    if options.socket and not Path(options.socket).is_socket():
        fix = f"tour vhost-user --socket {options.socket}"
        raise UsageError(f"There is no socket at {options.socket}.", "", fix)
    if not 64 <= options.memory <= 65536:
        raise UsageError("--memory takes 64 to 65536 MiB.", "", "tour guest uml --memory 256")


def _own_path() -> str:
    """Where our own server's socket will lie; it goes with the server."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return str(Path(folder, f"tour-guest-{os.getpid()}.sock"))


def _server(path: str, command: str) -> Server:
    from tour.guest.server import Server

    return Server(path, ("--netns", *(("--exec", command) if command else ())))


def _booted(options: GuestOptions, path: str, server: Server | None) -> Guest:
    from tour.guest.start import start

    return start(
        options.kind, _shape(options, path), machine=options.machine, kernel=options.kernel,
        progress=_progress(options.lang), alarm=_alarm(server),
    )  # fmt: skip


def _shape(options: GuestOptions, path: str) -> Shape:
    from tour.guest.shape import Shape

    # A trial needs it; a person or a command finds it in the guest where this machine has it.
    given = "iperf3" in options.trials or (not options.trials and shutil.which("iperf3"))
    programs = ("iperf3",) if given else ()
    return Shape(path, bool(options.trials or options.command), options.memory, programs)


def _alarm(server: Server | None) -> Callable[[], None]:
    """Raises what our server ended with."""

    def look() -> None:
        if server is not None and (error := server.lost()):
            raise error

    return look


def _progress(lang: Lang) -> Callable[[float, str], None]:
    """Says each stage, and each second of a long one."""
    said = ("", -1)

    def tell_stage(seconds: float, stage: str) -> None:
        nonlocal said
        if said != (stage, int(seconds)):
            said = (stage, int(seconds))
            say(t(lang, "guest.progress", seconds=f"{seconds:4.1f}", stage=t(lang, f"guest.stage.{stage}")))

    return tell_stage


# --- what is done with it ---


def _use(options: GuestOptions, running: Guest, server: Server | None) -> int:
    if options.trials:
        return _try(options, running)
    if options.command:
        running.on_line = tell
        return running.run(options.command, DAY).code
    say(t(options.lang, "guest.console"))
    _console(running, _alarm(server))
    return 0


def _try(options: GuestOptions, running: Guest) -> int:
    """Run the trials asked for and tell their results, as lines or as one JSON object."""
    from tour.guest import trials

    results: dict[str, object] = {}
    for name in options.trials:
        if name == "ping":
            pinged = trials.ping(running)
            results["ping"] = {"sent": pinged.sent, "received": pinged.received, "average_ms": pinged.average}
            _line(options, "ping", sent=pinged.sent, received=pinged.received, average=pinged.average)
            continue
        for way in ("out", "in"):
            rate = trials.tcp(running, inwards=way == "in")
            results[f"tcp_{way}_bits_per_second"] = rate
            _line(options, f"tcp_{way}", rate=f"{rate / 1e9:.2f}")
    if options.json:
        tell(json.dumps(results))
    return 0


def _line(options: GuestOptions, key: str, **values: object) -> None:
    if not options.json:
        tell(t(options.lang, f"guest.{key}", **values))


def _console(running: Guest, alarm: Callable[[], None]) -> None:
    """Join our terminal and the guest's console until it is switched off, or Ctrl-]. Raises AgentLost."""
    stream = running.stream
    _pass_on(running.unread())
    with _raw(sys.stdin.fileno()) as keys:
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        poll.register(keys, select.POLLIN)
        while True:
            alarm()
            ready = dict(poll.poll(500))
            if stream.fileno() in ready and not _pass_on(stream.recv(BLOCK)):
                break
            if keys in ready:
                typed = os.read(keys, BLOCK)
                if not typed:
                    poll.unregister(keys)
                before, leave, _ = typed.partition(bytes([LEAVE]))
                stream.sendall(before)
                if leave:
                    return
    if running.process.wait(ENDING):
        raise running.lost()


def _pass_on(data: bytes) -> bool:
    """Show what the guest says; False when there is nothing more."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return bool(data)


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[int]:
    """A terminal that hands on every key as it is, made as it was at the end and at SIGTERM; anything else is left
    alone."""
    if not os.isatty(fd):
        yield fd
        return
    kept = termios.tcgetattr(fd)
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    tty.setraw(fd)
    try:
        yield fd
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, kept)
        signal.signal(signal.SIGTERM, before)
