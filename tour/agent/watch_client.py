"""A watcher's end of a watch door: a session like any other, on a socket beside the device's own."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from tour.agent.session import OnEnd, OnEvent, StreamSession
from tour.agent.watch_door import SUFFIX
from tour.errors import AgentLost, UsageError
from tour.trace import events as ev


class SocketTransport:
    """A connection to the watch door of the device at ``path``. Raises UsageError where none can be reached."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        door = path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)
        try:
            self._socket.connect(str(door))
        except OSError as error:
            self._socket.close()
            raise _unreachable(path, door, error) from error

    def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises OSError."""
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Some bytes, b'' at the end."""
        return self._socket.recv(65536)

    def reason(self) -> str:
        """Why it ended: a socket does not say."""
        return ""

    def close(self) -> None:
        """Stop watching."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class WatchSession(StreamSession):
    """Events of a device that is watched, until it or we have enough of it."""

    kind = "watch"

    def __init__(self, path: Path) -> None:
        super().__init__(SocketTransport(path))
        self._said_bye = False

    def read(self, on_event: OnEvent, on_end: OnEnd) -> None:
        """Hand on events until the stream ends; one that said Bye ended as it should."""

        def hear(event: ev.Event) -> None:
            self._said_bye = isinstance(event.data, ev.Bye)
            on_event(event)

        super().read(hear, lambda why: on_end(None if self._said_bye else why))

    def _lost(self, detail: str = "") -> AgentLost:
        return AgentLost(
            "What was watched has ended: what was seen so far stays here, nothing more happens.", detail,
            "start it again, then: tour watch SOCKET",
        )  # fmt: skip


def _unreachable(path: Path, door: Path, error: OSError) -> UsageError:
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return UsageError(f"{door} may not be watched: {reason}.", "Only the user who started it may.", "")
    return UsageError(f"Nobody can be watched at {door}: {reason}.", "", f"tour vhost-user --socket {path}")
