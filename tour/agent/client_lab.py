"""An agent in the lab: booted on a thread of its own, so that a front end stays alive meanwhile."""

from __future__ import annotations

import sys
import threading

from tour.agent import protocol
from tour.agent.session import OnEnd, OnEvent, OnProgress, Session, StreamSession
from tour.errors import AgentLost, TourError
from tour.lab.boot import Options
from tour.lab.kernel import find_tools
from tour.lab.stream import LabProcess, open_stream

AGENT = [sys.executable, "-m", "tour.agent.server"]


class LabTransport:
    """The stream of an agent in a lab of its own."""

    def __init__(self, process: LabProcess) -> None:
        self.process = process

    def send(self, data: bytes) -> None:
        """Write all of ``data``. Raises OSError."""
        self.process.stream.sendall(data)

    def receive(self) -> bytes:
        """Some bytes, b'' at the end."""
        return self.process.stream.recv(65536)

    def reason(self) -> str:
        """How it ended and its last words."""
        lost = self.process.lost()
        return f"{lost.what} {lost.why}".strip()

    def close(self) -> None:
        """End the program and its machine."""
        self.process.close()


class LabSession:
    """A session whose agent is still booting when it is made; commands said meanwhile wait."""

    kind = "live"

    def __init__(self, kernel: str) -> None:
        self._kernel = kernel
        self._inner: StreamSession | None = None
        self._waiting: list[protocol.AnyCommand] = []
        self._closed = False
        self._lock = threading.Lock()

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Boot, then listen, on one thread that lives as long as the machine."""
        threading.Thread(target=self._run, args=(on_event, on_end, on_progress), name="lab", daemon=True).start()

    def _run(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        try:
            _, process = open_stream(AGENT, options=Options(kernel=self._kernel, progress=on_progress))
        except TourError as error:
            on_end(error)
            return
        except OSError as error:  # no memory, no process, no room: whatever it is, somebody waits to hear it
            on_end(AgentLost("The lab could not be started.", str(error)))
            return
        inner = StreamSession(LabTransport(process))
        with self._lock:
            self._inner = inner
            waiting, self._waiting = self._waiting, []
        if self._closed:
            inner.close()
            return
        try:
            for command in waiting:
                inner.send(command)
        except AgentLost as error:
            on_end(error)
            return
        inner.read(on_event, on_end)

    def send(self, command: protocol.AnyCommand) -> None:
        """Say a command, now or once the agent is there. Raises AgentLost."""
        with self._lock:
            if self._inner is None:
                self._waiting.append(command)
                return
        self._inner.send(command)

    def close(self) -> None:
        """End the agent and its machine; a boot still under way ends by itself."""
        self._closed = True
        with self._lock:
            inner = self._inner
        if inner is not None:
            inner.close()


def connect_lab(command: protocol.Open, kernel: str) -> Session:
    """A new agent in a new lab. Raises CapabilityMissing("lab") with the apt line when something lacks."""
    find_tools(kernel)
    return LabSession(kernel)
