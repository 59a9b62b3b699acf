"""Who is attacked: a device behind the contract, with a tap to work on, and everything it said of what it met."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from tour.device.contract import Backend, VhostDevice
from tour.device.embedded import EmbeddedDevice
from tour.device.kernel import KernelDevice
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.scene.ports import ServerPorts
from tour.scene.serve import Server
from tour.testing.tap import Tap
from tour.trace import events as ev
from tour.trace.recorder import Recorder

T = TypeVar("T")
SECONDS = 5.0


def wait_for(what: Callable[[], T], seconds: float = SECONDS) -> T:
    """The first true value of ``what()``, or its last false one after ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.001)
    return found


class TapPorts(ServerPorts):
    """One queue pair, on a tap of the bench."""

    kind = "tap"

    def __init__(self, tap: Tap) -> None:
        super().__init__(1)
        self._tap = tap

    def port(self, pair: int) -> Backend:
        """See ``ServerPorts.port``."""
        return self._tap


class Victim:
    """``name`` is one of VICTIMS. ``connect`` gives a fresh device (a fresh connection to the one server).

    Run it in a network namespace of its own (``namespace.enter``). Raises CapabilityMissing for what is not here.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[ev.Event] = []
        self._stack = ExitStack()
        self.path = Path()
        try:
            self.tap = self._stack.enter_context(Tap())
            self.tap.far.setblocking(False)
            if name == "socket":
                self._serve()
        except BaseException:
            self.close()
            raise

    def _serve(self) -> None:
        self.path = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "socket"
        ports = TapPorts(self.tap)
        self._stack.callback(ports.close)
        server = self._stack.enter_context(Server(self.path, ports, self._embedded, Recorder(self.events.append)))
        thread = threading.Thread(target=server.run)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.stop)

    def _embedded(self, recorder: Recorder) -> EmbeddedDevice:
        gear = "python" if self.name == "python" else "engine"
        return EmbeddedDevice(recorder, gear=gear, on_violation="quarantine", pipes=True)  # type: ignore[arg-type]

    def connect(self) -> VhostDevice:
        """A fresh device to talk to."""
        if self.name == "socket":
            return VhostUserDevice(str(self.path))
        if self.name == "kernel":
            return KernelDevice()
        return self._embedded(Recorder(self.events.append))

    def reasons(self) -> list[str]:
        """Why rings are broken and messages were refused, in order."""
        found = []
        for event in list(self.events):
            if isinstance(event.data, ev.Broken):
                found.append(event.data.reason)
            elif isinstance(event.data, ev.Message) and event.data.result:
                found.append(event.data.fault)
        return found

    def close(self) -> None:
        """Let go of everything. May be called twice."""
        self._stack.close()


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))
