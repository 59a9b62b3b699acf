"""``tour watch``: a device at work, on the screen, as a line a second, or as events; and recordings of it."""

from __future__ import annotations

import contextlib
import queue
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tour.agent.session import Item
from tour.agent.watch_moment import SECOND
from tour.agent.watching import Spectator
from tour.cli.output import say, tell, tell_bytes
from tour.cli.start import dumb, on_terminal, wanted_glyphs
from tour.errors import UsageError
from tour.i18n import Lang, local, t
from tour.trace import events as ev
from tour.trace.store import Recording
from tour.view.ui import Ui
from tour.view.watch.words import lines, opening
from tour.view.words import sentence

if TYPE_CHECKING:
    from tour.agent.session import Session

LINE_SECONDS = 1.0


class WatchOptions(msgspec.Struct, frozen=True):
    """What ``tour watch`` was asked for: the device's ``socket``, or QEMU's QMP socket ``qmp``."""

    lang: Lang
    socket: str = ""
    qmp: str = ""
    plain: bool = False
    json: bool = False
    output: str = ""
    glyphs: str = "auto"
    theme: str = ""


def watch(options: WatchOptions) -> int:
    """Watch until the person leaves or the device ends. Raises TourError."""
    if bool(options.socket) == bool(options.qmp):
        raise UsageError("Watching needs one socket: a device's, or with --qmp a QEMU's.", "", "tour watch SOCKET")
    screen = not (options.plain or options.json or dumb())
    session = _session(options)
    if screen and not on_terminal():
        session.close()
        raise UsageError(t(options.lang, "watch.not_tty", socket=options.socket or "--qmp SOCK"))
    spectator = Spectator(session, options.lang, packets=bool(options.socket))
    try:
        if options.output:
            spectator.record(Path(options.output))
        spectator.begin()
        code = _draw(spectator, options) if screen else _tell(spectator, options)
        if spectator.unwritten is not None:
            raise spectator.unwritten
        return code
    finally:
        path = spectator.recording or options.output
        spectator.close()
        if path and spectator.unwritten is None:
            say(t(options.lang, "watch.plain.recorded", path=path))


def _session(options: WatchOptions) -> Session:
    if options.qmp:
        from tour.agent.watch_qmp import QmpSession

        return QmpSession(Path(options.qmp))
    from tour.agent.watch_client import WatchSession

    return WatchSession(Path(options.socket))


def _draw(spectator: Spectator, options: WatchOptions) -> int:
    from tour.tui.options import options as chosen
    from tour.tui.watch import run_watch

    looks = chosen(options.theme, wanted_glyphs(options.glyphs), False)
    return run_watch(spectator, replace(looks, lang=options.lang))


def _tell(spectator: Spectator, options: WatchOptions) -> int:
    """Lines or events until the stream ends, or Ctrl-C or SIGTERM. Raises the error it ended with."""
    items: queue.Queue[Item] = queue.Queue()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    spectator.mailbox.attach(items.put)
    due = time.monotonic() + LINE_SECONDS
    try:
        while not spectator.ended:
            if time.monotonic() >= due:
                due = time.monotonic() + LINE_SECONDS
                _lines(spectator, options)
            with contextlib.suppress(queue.Empty):
                _hear(spectator, options, items.get(timeout=max(0.0, due - time.monotonic())))
    except KeyboardInterrupt:
        return 0
    if spectator.error is not None:
        raise spectator.error
    return 0


def _hear(spectator: Spectator, options: WatchOptions, item: Item) -> None:
    before = spectator.history.edge.watching
    spectator.hear(item)
    if isinstance(item, str):
        say(local(options.lang, item))
    elif isinstance(item, ev.Event) and options.json:
        if not isinstance(item.data, ev.Done):
            tell_bytes(ev.encode(item))
    elif isinstance(item, ev.Event):
        state = spectator.history.edge
        if before is None and state.watching is not None:
            say(opening(state, options.lang))
        if isinstance(item.data, ev.Message | ev.Broken | ev.Note | ev.Error | ev.Lost):
            tell(sentence(item, state, options.lang))


def _lines(spectator: Spectator, options: WatchOptions) -> None:
    if not options.json:
        for line in lines(spectator.moment()):
            tell(line)


# --- a recording ---


class ReplayWish(msgspec.Struct, frozen=True):
    """How a recording of watching is wanted: ``svg`` a picture's file, of second ``at`` ('' for the end)."""

    lang: Lang
    plain: bool = False
    svg: str = ""
    at: str = ""
    size: tuple[int, int] = (160, 48)
    glyphs: str = "auto"
    theme: str = ""


def replay_watch(recording: Recording, wish: ReplayWish) -> int:
    """Play a recording of watching. Raises UsageError."""
    spectator = Spectator(None, wish.lang, recording.events)
    if wish.svg:
        return _picture(spectator, wish)
    if wish.plain or dumb():
        return _retell(spectator, recording)
    if not on_terminal():
        raise UsageError(t(wish.lang, "cli.not_tty_replay", file=recording.path))
    return _draw(spectator, WatchOptions(wish.lang, glyphs=wish.glyphs, theme=wish.theme))


def _retell(spectator: Spectator, recording: Recording) -> int:
    """A line a second of the recording's time, and a sentence for each message, at once."""
    spectator.live()
    say(opening(spectator.history.edge, spectator.lang))
    due = spectator.history.time(1) + SECOND
    for position, event in enumerate(recording.events, 1):
        now = spectator.history.time(position)
        if now >= due:
            spectator.show_at(position - 1)
            for line in lines(spectator.moment()):
                tell(line)
            due += max(SECOND, (now - due) // SECOND * SECOND)
        if isinstance(event.data, ev.Message | ev.Broken | ev.Note | ev.Error | ev.Lost):
            tell(sentence(event, spectator.history.at(position), spectator.lang))
    spectator.last_sample()
    for line in lines(spectator.moment()):
        tell(line)
    return 0


def _picture(spectator: Spectator, wish: ReplayWish) -> int:
    from tour.view import themes
    from tour.view.svg import svg
    from tour.view.watch.screen import compose

    theme = themes.THEMES.get(wish.theme or "dark")
    if theme is None:
        raise UsageError(f"There is no theme '{wish.theme}'.", f"There are: {', '.join(themes.THEMES)}.")
    spectator.first()
    try:
        spectator.seconds(float(wish.at)) if wish.at else spectator.last_sample()
    except ValueError:
        raise UsageError(f"'{wish.at}' is no number of seconds.", "", "tour replay FILE --svg OUT --at 2.5") from None
    canvas = compose(spectator.moment(), Ui(glyphs="ascii" if wish.glyphs == "ascii" else "unicode"), *wish.size)
    try:
        Path(wish.svg).write_text(svg(canvas, theme, t(wish.lang, "watch.title")), "utf-8")
    except OSError as error:
        raise UsageError(f"The picture {wish.svg} cannot be written: {error.strerror}.") from error
    say(t(wish.lang, "cli.picture", path=wish.svg))
    return 0
