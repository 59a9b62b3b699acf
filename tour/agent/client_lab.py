"""An agent in the lab: booted on a thread of its own, so that a front end stays alive meanwhile."""

from __future__ import annotations

import sys

from tour.agent import protocol
from tour.agent.late import LateSession
from tour.agent.session import OnProgress, Session
from tour.agent.spawn import environment
from tour.errors import AgentLost
from tour.lab.boot import Options
from tour.lab.kernel import find_tools
from tour.lab.qemu import Shape
from tour.lab.stream import LabProcess, open_stream
from tour.lesson.model import LessonError, load

AGENT = [sys.executable, "-P", "-m", "tour.agent.server"]


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


MODULES = {"kvm": ("kvm_amd",)}
"""What a lesson's need takes in the lab besides its usual modules: its emulated processor has AMD's SVM."""


class LabSession(LateSession):
    """A session whose agent is still booting when it is made."""

    def __init__(self, kernel: str, cpus: int = 0, modules: tuple[str, ...] = ()) -> None:
        super().__init__(self._boot)
        self._kernel = kernel
        self._shape = Shape(cpus=cpus)
        self._modules = modules

    def _boot(self, on_progress: OnProgress) -> LabTransport:
        """Boot a lab with an agent in it. Raises TourError."""
        try:
            path = {key: value for key, value in environment(None).items() if key == "PYTHONPATH"}
            options = Options(self._kernel, shape=self._shape, modules=self._modules, progress=on_progress)
            _, process = open_stream(AGENT, environ=path, options=options)
        except OSError as error:  # no memory, no process, no room: whatever it is, somebody waits to hear it
            raise AgentLost("The lab could not be started.", str(error)) from error
        return LabTransport(process)


def connect_lab(command: protocol.Open, kernel: str) -> Session:
    """A new agent in a new lab. Raises CapabilityMissing("lab") with the apt line when something lacks."""
    find_tools(kernel)
    return LabSession(kernel, *_wanted(command.lesson))


def _wanted(lesson: str) -> tuple[int, tuple[str, ...]]:
    """How many CPUs that lesson wants and which modules besides the usual; what is no lesson wants the usual."""
    try:
        found = load(lesson)
    except LessonError:
        return 0, ()
    return found.cpus, tuple(name for need in found.needs for name in MODULES.get(need, ()))
