"""A front end's end of an agent: commands out, events in, whatever kind of agent it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from tour.agent import protocol
from tour.errors import AgentLost, TourError
from tour.trace import events as ev

OnEvent = Callable[[ev.Event], None]
OnEnd = Callable[[TourError | None], None]
OnProgress = Callable[[str], None]


Item = ev.Event | TourError | str | None
"""What a session says: an event, how it ended (None: as it should), or what it is doing."""


class Mailbox:
    """From a session's thread to a listener; what comes before there is a listener waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Item] = []
        self._listener: Callable[[Item], None] | None = None

    def put(self, item: Item, wanted: bool) -> None:
        """Leave ``item``, unless it is no longer ``wanted``."""
        with self._lock:
            if not wanted:
                return
            if self._listener is None:
                self._waiting.append(item)
            else:
                self._listener(item)

    def attach(self, listener: Callable[[Item], None]) -> None:
        """From now on ``listener`` hears everything, first what waited."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._listener = listener
            for item in waiting:
                listener(item)


class Session(Protocol):
    """What every agent looks like from here. ``kind`` is live or replay; ``host`` the machine it runs on, '' for
    this one (and what it started, such as the lab)."""

    kind: str
    host: str

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Begin to listen; the callbacks run on a thread of the session's own."""

    def send(self, command: protocol.AnyCommand) -> None:
        """Say a command. Raises AgentLost when the agent is gone."""

    def close(self) -> None:
        """End the agent and wait for it; safe to call twice."""


class Transport(Protocol):
    """A byte stream to an agent and the means to end it."""

    def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises OSError."""

    def receive(self) -> bytes:
        """Some bytes, b'' at the end. Raises OSError."""

    def reason(self) -> str:
        """Why it ended, as far as is known, for the learner."""

    def close(self) -> None:
        """End the other side."""


class StreamSession:
    """A live agent over a byte stream."""

    kind = "live"
    host = ""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._closing = False

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Read events on a thread of our own until the stream ends."""
        threading.Thread(target=self.read, args=(on_event, on_end), name="agent-events", daemon=True).start()

    def read(self, on_event: OnEvent, on_end: OnEnd) -> None:
        """Hand on events until the stream ends, then say why it did."""
        pending = b""
        try:
            while data := self._transport.receive():
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    on_event(_event(line))
                if len(pending) > ev.LINE_MAX:
                    raise msgspec.DecodeError("a line without end")
        except OSError:
            on_end(None if self._closing else self._lost())
        except msgspec.MsgspecError as error:
            on_end(None if self._closing else self._lost(str(error)))
        else:
            on_end(None if self._closing else self._lost())

    def _lost(self, detail: str = "") -> AgentLost:
        why = " ".join(part for part in (self._transport.reason(), detail) if part)
        return AgentLost("The agent has ended: what was seen so far stays here, nothing more happens.", why)

    def send(self, command: protocol.AnyCommand) -> None:
        """Say a command. Raises AgentLost."""
        try:
            self._transport.send(protocol.encode(command))
        except OSError as error:
            raise self._lost() from error

    def close(self) -> None:
        """End the agent."""
        self._closing = True
        self._transport.close()


def _event(line: bytes) -> ev.Event:
    """The event in one line of the wire. Raises msgspec.DecodeError, also when the agent is of another version."""
    event = ev.decode(line)
    if isinstance(event.data, ev.Hello) and event.data.protocol != ev.PROTOCOL:
        raise msgspec.DecodeError(f"It speaks version {event.data.protocol} of the protocol, we speak {ev.PROTOCOL}.")
    return event
