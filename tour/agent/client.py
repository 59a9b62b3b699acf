"""Ways to reach an agent: a process of this machine, or a recording. (The lab's is in ``client_lab``.)"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from tour.agent import protocol
from tour.agent.replay import ReplaySession
from tour.agent.session import Session, StreamSession
from tour.errors import CapabilityMissing, TimedOut
from tour.trace import store

ENDING = 2.0


class LocalTransport:
    """The stream of an agent process on this machine, spawned into namespaces of its own."""

    def __init__(self) -> None:
        from tour.agent import early

        self.process = early.take()

    def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises OSError."""
        self.process.stream.sendall(data)

    def receive(self) -> bytes:
        """Some bytes, b'' at the end."""
        return self.process.stream.recv(65536)

    def reason(self) -> str:
        """How the agent ended and its last words; the stream's end may come a moment before the processes'."""
        with contextlib.suppress(TimedOut, OSError):
            self.process.wait(ENDING)
        return self.process.lost().why

    def close(self) -> None:
        """End the agent and all below it."""
        self.process.close()


def connect_local(command: protocol.Open) -> Session:
    """A new agent process. Raises CapabilityMissing or AgentLost."""
    require_linux()
    return StreamSession(LocalTransport())


def connect_replay(path: Path) -> Session:
    """The recording at ``path`` in an agent's place. Raises RecordingError."""
    return ReplaySession(store.load(path))


def require_linux() -> None:
    """Raises CapabilityMissing where a live run is impossible at all: not Linux, or the compiled part missing."""
    if not sys.platform.startswith("linux"):
        raise CapabilityMissing(
            "embedded", "A live run needs Linux.", f"This is {sys.platform}.", "tour start --device replay"
        )
    from tour.abi import native

    native.lib()


def can_run_live() -> CapabilityMissing | None:
    """Why no agent can run here, or None when one can."""
    try:
        require_linux()
    except CapabilityMissing as missing:
        return missing
    return None
