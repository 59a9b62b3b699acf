"""The agent's own side: commands in on one stream, events out on the same, and a running set-up between.

Started as ``python -m tour.agent.server`` with the stream on descriptors 0 and 1 (or ``--port DEVICE``, a
virtio-serial port in the lab). The stream is never anybody's stdout: both descriptors are moved away first.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tour.agent import protocol
from tour.errors import TourError, UsageError
from tour.lesson.sandbox import SANDBOX
from tour.trace import events as ev
from tour.trace.recorder import Recorder
from tour.trace.timeline import Timeline

if TYPE_CHECKING:
    from tour.agent.stage import Stage

OUT_LIMIT = 4096
DATA_LIMIT = 3072


class Writer:
    """Writes events on a thread of its own. Above ``DATA_LIMIT`` waiting events those of the data plane are
    counted instead of queued and become one Lost; control events wait for room. When nobody reads any more, events
    are thrown away: the end of the commands tells the agent."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._queue: queue.Queue[ev.Event | None] = queue.Queue(OUT_LIMIT)
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="agent-out", daemon=True)
        self._thread.start()

    def __call__(self, event: ev.Event) -> None:
        """Queue one event."""
        if isinstance(event.data, ev.DATA_PLANE) and self._queue.qsize() >= DATA_LIMIT:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._queue.put(msgspec.structs.replace(event, data=ev.Lost(lost)))
        self._queue.put(event)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while (event := self._queue.get()) is not None:
                self._write(event)
            return
        while self._queue.get() is not None:
            pass

    def _write(self, event: ev.Event) -> None:
        try:
            data = ev.encode(event)
        except ValueError:
            data = ev.encode(msgspec.structs.replace(event, data=ev.Lost(1)))
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Write what is queued and end."""
        self._queue.put(None)
        self._thread.join(10)


def read_commands(fd: int, inbox: queue.Queue[protocol.AnyCommand | None]) -> None:
    """Put every command of the stream into ``inbox``, None at its end or at the first line that is none."""
    pending = b""
    try:
        while len(pending) <= ev.LINE_MAX and (data := os.read(fd, 65536)):
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                inbox.put(protocol.decode(line))
    except (OSError, msgspec.MsgspecError) as error:
        print(f"agent: not a command: {error}", file=sys.stderr)
    finally:
        inbox.put(None)


class Agent:
    """Runs commands one after the other; every failure becomes an Error event, never a traceback on the wire."""

    def __init__(self, recorder: Recorder, timeline: Timeline) -> None:
        self.recorder = recorder
        self.timeline = timeline
        self.stage: Stage | None = None

    def run(self, command: protocol.AnyCommand) -> None:
        """Run one command and say Done."""
        handlers: dict[type, Callable[[protocol.AnyCommand], None]] = {
            protocol.Open: self._open,
            protocol.Do: self._do,
            protocol.Try: self._try,
            protocol.Tell: self._tell,
            protocol.Close: self._close,
        }
        try:
            handler = handlers.get(type(command))
            if handler is None:
                raise UsageError("This command is for a device that is watched.", "", "tour watch SOCKET")
            handler(command)
        except TourError as error:
            self._error(error.what, error.why, error.fix, getattr(error, "name", ""))
        except OSError as error:
            self._error(f"The system refused: {error.strerror or error}.", str(error))
        except Exception as error:  # noqa: BLE001 - a front end may say anything, a learner's scene may do anything
            traceback.print_exc()
            self._error("The agent could not do this.", f"{type(error).__name__}: {error}")
        self._tell_failed_sinks()
        self.recorder.emit(ev.Done(command.id), actor="tour")

    def _tell_failed_sinks(self) -> None:
        """A timeline that could not follow our own events would let checks pass or fail on a state of the past."""
        while self.recorder.dropped:
            _, error = self.recorder.dropped.pop()
            self._error("The agent lost track of its own events.", f"{type(error).__name__}: {error}")

    def _open(self, command: protocol.AnyCommand) -> None:
        from tour.agent.sand_stage import SandStage
        from tour.agent.stage import Stage

        assert isinstance(command, protocol.Open)
        if self.stage is not None:
            raise TourError("A lesson is open already.")
        kind = SandStage if command.lesson == SANDBOX else Stage
        stage = kind(command, self.recorder, self.timeline)
        try:
            stage.open()
        except BaseException:
            stage.close()
            raise
        self.stage = stage

    def _do(self, command: protocol.AnyCommand) -> None:
        assert isinstance(command, protocol.Do)
        if self.stage is None:
            raise TourError("No lesson is open.")
        self.stage.do(command.step, command.skip)

    def _try(self, command: protocol.AnyCommand) -> None:
        from tour.agent.sand_stage import SandStage

        assert isinstance(command, protocol.Try)
        if not isinstance(self.stage, SandStage):
            raise TourError("No sandbox is open.")
        self.stage.obey(command.step, command.line)

    def _tell(self, command: protocol.AnyCommand) -> None:
        assert isinstance(command, protocol.Tell)
        self.recorder.emit(command.data, actor="tour")

    def _close(self, command: protocol.AnyCommand) -> None:
        self.close()

    def _error(self, what: str, why: str = "", fix: str = "", name: str = "") -> None:
        self.recorder.emit(ev.Error(what, why, fix, name), actor="tour")

    def close(self) -> None:
        """Take the set-up down, once, and say Bye."""
        stage, self.stage = self.stage, None
        if stage is not None:
            stage.close()
            self.recorder.emit(ev.Bye(), actor="tour")


def take_stream() -> tuple[int, int]:
    """Move the stream away from descriptors 0 and 1: 0 becomes /dev/null, 1 becomes stderr."""
    read, write = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return read, write


def serve(read: int, write: int) -> None:
    """Run commands from ``read`` until its end; events go to ``write``."""
    timeline = Timeline()
    writer = Writer(write)
    agent = Agent(Recorder(timeline.append, writer), timeline)
    inbox: queue.Queue[protocol.AnyCommand | None] = queue.Queue()
    threading.Thread(target=read_commands, args=(read, inbox), name="agent-in", daemon=True).start()
    try:
        while (command := inbox.get()) is not None:
            agent.run(command)
    finally:
        agent.close()
        writer.close()


def main(argv: list[str]) -> int:
    """Entry of the agent process."""
    try:
        if argv[:1] == ["--port"]:
            port = os.open(argv[1], os.O_RDWR)
            serve(port, port)
        else:
            serve(*take_stream())
    except (BrokenPipeError, ConnectionResetError):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
