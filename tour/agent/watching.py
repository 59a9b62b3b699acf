"""Watching: a stream of what is seen of a device at work, and where in it one looks. The screen and the plain twin of
``tour watch`` drive the same spectator; a recording of such a stream is played by it too.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from tour.agent import protocol
from tour.agent.session import Item, Mailbox, Session
from tour.agent.watch_moment import POINTS, SECOND, STALE, Mode, WatchMoment, laps, speeds
from tour.errors import AgentLost, TourError
from tour.i18n import Lang, local
from tour.trace import events as ev
from tour.trace.fold import FoldError
from tour.trace.history import History
from tour.trace.store import Writer

TX = 1
LAPS = 40


class Spectator:
    """Looks on through ``session``, or (None) at a ``recording``. All calls come from one thread.

    ``clock`` is the monotonic time in ns on which events are told; with ``packets`` it asks to be shown some.
    ``unwritten`` says why a recording could not be kept.
    """

    def __init__(
        self,
        session: Session | None,
        lang: Lang,
        recording: Iterable[ev.Event] = (),
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        packets: bool = True,
    ) -> None:
        self.session = session
        self.packets = packets
        self.lang: Lang = lang
        self.replay = session is None
        self.history = History() if session else History(kept=None)
        self.queue = TX
        self.error: TourError | None = None
        self.ended = False
        self.notice = ""
        self.unwritten: TourError | None = None
        self.mailbox = Mailbox()
        self._clock = clock
        self._position: int | None = None
        self._moved_back = False
        self._played_from: tuple[int, int] | None = None
        self._held: set[int] = set()
        self._writer: Writer | None = None
        self._written = 0
        self._commands = 0
        for event in recording:
            self._append(event)
        if self.replay:
            self._position = min(1, len(self.history))

    # the stream

    def begin(self) -> None:
        """Start to look on; what comes waits in the mailbox."""
        if self.session is not None:
            put = self.mailbox.put
            self.session.start(lambda event: put(event, True), lambda end: put(end, True), lambda text: put(text, True))
            if self.packets:
                self._send(protocol.Packet)

    def hear(self, item: Item) -> None:
        """Take what the session said."""
        if isinstance(item, ev.Event):
            self._append(item)
        elif not isinstance(item, str):
            self.ended = True
            self.error = item
            self._give_up()

    def _append(self, event: ev.Event) -> None:
        if isinstance(event.data, ev.Done):
            return
        try:
            self.history.append(event)
        except FoldError as error:
            self.error = error
            return
        if isinstance(event.data, ev.Error) and not self.replay:
            self.notice = local(self.lang, event.data.what)
            self._held.clear()  # what is held all the same, samples tell
        if self._writer is not None:
            self._write(event)

    def close(self) -> None:
        """Let go of every worker that is held, end the recording, stop watching."""
        with contextlib.suppress(AgentLost):
            for queue in sorted(self._held):
                self._send(protocol.Resume, queue)
        self._give_up()
        if self.session is not None:
            self.session.close()

    # where one looks

    @property
    def position(self) -> int:
        """The position shown."""
        return len(self.history) if self._position is None else max(self._position, self.history.first)

    @property
    def mode(self) -> Mode:
        """Where the picture comes from."""
        if not len(self.history):
            return "ended" if self.ended else "starting"
        if self._moved_back:
            return "back"
        if self.replay:
            return "replay"
        if self._position is not None:
            return "paused"
        return "ended" if self.ended else "live"

    @property
    def playing(self) -> bool:
        """Whether the picture moves on by itself."""
        return self._played_from is not None if self.replay else self._position is None and not self.ended

    def toggle(self) -> None:
        """Let the picture stand, or move on again; the guest never waits for it."""
        if not self.replay:
            self._position = self.position if self._position is None else None
            self._moved_back = False
        elif self._played_from is None:
            if self.position >= len(self.history):
                self._position = self.history.first + 1
            self._moved_back = False
            self._played_from = (self._clock(), self.history.time(self.position))
        else:
            self._played_from = None

    def tick(self) -> None:
        """Move a recording that plays on to where it is by now."""
        if self._played_from is None:
            return
        began, at = self._played_from
        self._position = self.history.position_at(at + self._clock() - began)
        if self._position >= len(self.history):
            self._played_from = None

    def back(self) -> None:
        """Look one sample back."""
        self._look(self.history.stop_before(self.position, self.queue))

    def forward(self) -> None:
        """Look one sample on; at the edge the present goes on."""
        self._look(self.history.stop_after(self.position, self.queue))

    def seconds(self, by: float) -> None:
        """Look so many seconds earlier or later."""
        t = self.history.time(self.position) + int(by * SECOND)
        self._look(self.history.position_at(t))

    def seek(self, share: float) -> None:
        """Look at that part (0 to 1) of the time that is kept."""
        first, edge = self._ends()
        self._look(self.history.position_at(first + int(share * (edge - first))))

    def first(self) -> None:
        """Look at the earliest that is kept."""
        self._look(self.history.first + 1)

    def last_sample(self) -> None:
        """Look at the last sample of the queue while it ran; the edge where there is none."""
        points = self.history.points(self.queue, len(self.history), 1 << 30)
        seen = [point.position for point in points if point.sample is not None and point.sample.running]
        self._look(seen[-1] if seen else len(self.history))

    def show_at(self, position: int) -> None:
        """Look at that position."""
        self._look(position)

    def live(self) -> None:
        """Back to the present, or to a recording's end."""
        self._look(len(self.history))

    def _look(self, position: int) -> None:
        self._played_from = None
        at_edge = position >= len(self.history)
        self._position = None if at_edge and not self.replay else position
        self._moved_back = not at_edge and not self.replay

    def choose(self, queue: int) -> None:
        """Look at that queue, counted round."""
        self.queue = queue % len(self.history.at(self.position).rings)

    # slow motion

    @property
    def held(self) -> frozenset[int]:
        """Queues whose worker is held now, by whomever."""
        return frozenset(one.queue for one in self.history.edge.watched if one.sample and one.sample.held)

    def hold(self) -> bool:
        """Hold the queue's worker, or let it go on; whether it is held then. Raises AgentLost."""
        on = self.queue not in self._held | self.held
        self._send(protocol.Hold if on else protocol.Resume, self.queue)
        (self._held.add if on else self._held.discard)(self.queue)
        return on

    def release(self) -> bool:
        """Let a held worker take one chain; False when it is not held. Raises AgentLost."""
        if self.queue not in self._held | self.held:
            return False
        self._send(protocol.Release, self.queue)
        return True

    def _send(self, kind: Callable[..., protocol.AnyCommand], *args: int) -> None:
        if self.session is not None and not self.ended:
            self._commands += 1
            self.session.send(kind(self._commands, *args))

    # keeping

    @property
    def recording(self) -> str:
        """The file that is written to, '' for none."""
        return str(self._writer.path) if self._writer is not None else ""

    def record(self, path: Path) -> None:
        """Write to ``path`` from now on, what stands first. Raises RecordingError."""
        self.stop_recording()
        self._writer, self._written = Writer(path), 0
        for event in self.history.standing:
            begins = isinstance(event.data, ev.Hello)
            self._write(replace(event, t=self.history.time(len(self.history))) if begins else event)

    def _write(self, event: ev.Event) -> None:
        writer = self._writer
        if writer is None:
            return
        writer(replace(event, seq=self._written))
        self._written += 1
        if writer.error is not None:
            self._give_up()

    def _give_up(self) -> None:
        """End the recording; what could not be written is said later."""
        try:
            self.stop_recording()
        except TourError as error:
            self.unwritten = error
            self.notice = local(self.lang, error.what)

    def stop_recording(self) -> None:
        """End the recording. Raises RecordingError when it could not be written."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._written and not writer.whole:
            writer(ev.Event(self._written, self.history.time(len(self.history)), "tour", "tour", ev.Bye("watched")))
        writer.close()

    # the picture

    def _ends(self) -> tuple[int, int]:
        return self.history.time(self.history.first + 1), self.history.time(len(self.history))

    def moment(self, *, cpu: float | None = None, paints: float | None = None) -> WatchMoment:
        """What there is to see now."""
        position, history = self.position, self.history
        t_first, t_edge = self._ends()
        live = self._position is None and not self.replay and not self.ended
        t = max(self._clock(), t_edge) if live else history.time(position)
        state = history.at(position)
        rates = {ring.index: speeds(history.points(ring.index, position, POINTS), t) for ring in state.rings}
        apart = SECOND if self.playing else 0
        return WatchMoment(
            self.lang, state, self.queue % len(state.rings), self.mode, self.replay, self.playing, t, t_first,
            max(t_edge, t),
            frozenset(one.queue for one in state.watched if one.sample and one.sample.held),
            rates, laps(history.points(self.queue, position, LAPS, apart)), apart / SECOND, self.recording,
            self.notice, cpu, paints, max((self._hertz(ring.index, position, t) for ring in state.rings), default=0.0),
        )  # fmt: skip

    def _hertz(self, queue: int, position: int, now: int) -> float:
        """Looks a second at ``queue``, as they came: only of a ring that changes is anything told."""
        points = self.history.points(queue, position, 8)
        span = points[-1].t - points[0].t if len(points) > 1 else 0
        return (len(points) - 1) * SECOND / span if span and now - points[-1].t < STALE else 0.0
