"""``tour agent``: the far side of ``--ssh``. Starts agents here for a front end over there, one after the other.

Its stream is descriptors 0 and 1, which sshd made; their end, as any end of this process, ends the agent
(``spawn``: PR_SET_PDEATHSIG, end of file, pid namespace).
"""

from __future__ import annotations

import contextlib
import os
import select

from tour.agent import early, far
from tour.agent.client import require_linux
from tour.agent.server import take_stream
from tour.agent.spawn import AgentProcess
from tour.errors import TimedOut, TourError
from tour.trace.events import LINE_MAX

ENDING = 2.0


def main() -> int:
    """Serve until the front end is gone; returns the exit code."""
    read, write = take_stream()
    relay = Relay(write)
    try:
        relay.serve(read)
    except BrokenPipeError:
        return 0
    finally:
        relay.stop()
    return 0


class Relay:
    """At most one agent, and the way to it and back."""

    def __init__(self, write: int) -> None:
        self._write_fd = write
        self._agent: AgentProcess | None = None
        self._number = 0
        self._pending = b""

    def serve(self, read: int) -> None:
        """Pass lines both ways until the end of ``read``. Raises BrokenPipeError."""
        self._tell(far.line("tour", far.OURS))
        heard = b""
        while True:
            if self._agent_says(read):
                continue
            data = os.read(read, 65536)
            if not data or len(heard) > LINE_MAX:
                return
            *lines, heard = (heard + data).split(b"\n")
            for each in lines:
                self._hear(each)

    def _agent_says(self, read: int) -> bool:
        """Wait for either side; True when it was (perhaps also) the agent, whose lines are then passed on."""
        if self._agent is None:
            return False
        stream = self._agent.stream
        ready, _, _ = select.select([read, stream.fileno()], [], [])
        if stream.fileno() not in ready:
            return False
        data = b""
        with contextlib.suppress(OSError):
            data = stream.recv(65536)
        whole, newline, self._pending = (self._pending + data).rpartition(b"\n")
        self._tell(whole + newline)
        if not data:
            self._agent_ended()
        return True

    def _agent_ended(self) -> None:
        assert self._agent is not None
        with contextlib.suppress(TimedOut, OSError):
            self._agent.wait(ENDING)
        why = self._agent.lost().why
        self.stop()
        self._tell(far.line("ended", self._number, why))

    def _hear(self, text: bytes) -> None:
        """One line of the front end."""
        word, rest = far.parse(text)
        if word == "start":
            self._start(int(rest))
        elif word == "stop":
            self.stop()
        elif not word and self._agent is not None:
            with contextlib.suppress(OSError):  # it has just ended: its end will be told
                self._agent.stream.sendall(rest + b"\n")

    def _start(self, number: int) -> None:
        """A new agent in the old one's place."""
        self.stop()
        self._number = number
        self._tell(far.line("started", number))
        try:
            require_linux()
            self._agent = early.start()
        except TourError as error:
            self._tell(far.line("ended", number, str(error)))

    def stop(self) -> None:
        """End the agent, if there is one."""
        agent, self._agent = self._agent, None
        self._pending = b""
        if agent is not None:
            agent.close()

    def _tell(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._write_fd, data) :]
