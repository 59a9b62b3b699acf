"""A recording in an agent's place: the same commands, answered with what was recorded. No Linux needed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from tour.agent import protocol
from tour.agent.session import OnEnd, OnEvent, OnProgress
from tour.errors import UsageError
from tour.trace import events as ev
from tour.trace.store import Recording


class ReplaySession:
    """Plays a recording, step by step as it is asked to. Questions and answers are not put into it."""

    kind = "replay"
    host = ""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._position = 0
        self._commands: queue.Queue[protocol.AnyCommand | None] = queue.Queue()

    def start(self, on_event: OnEvent, on_end: OnEnd, on_progress: OnProgress) -> None:
        """Answer commands on a thread of our own."""
        threading.Thread(target=self._run, args=(on_event, on_end), name="replay", daemon=True).start()

    def send(self, command: protocol.AnyCommand) -> None:
        """Take a command."""
        self._commands.put(command)

    def close(self) -> None:
        """Stop playing."""
        self._commands.put(None)

    def _run(self, on_event: OnEvent, on_end: OnEnd) -> None:
        while (command := self._commands.get()) is not None:
            try:
                for event in self._answer(command):
                    on_event(event)
            except UsageError as error:
                on_end(error)
                return
        on_end(None)

    def _answer(self, command: protocol.AnyCommand) -> list[ev.Event]:
        if isinstance(command, protocol.Open):
            events = self._open(command)
        elif isinstance(command, protocol.Do):
            events = self._step(command)
        else:
            events = []
        last = events[-1] if events else self.recording.events[max(0, self._position - 1)]
        return [*events, ev.Event(last.seq, last.t, "tour", "tour", ev.Done(command.id))]

    def _open(self, command: protocol.Open) -> list[ev.Event]:
        if command.variant or command.num or command.base:
            raise UsageError(
                "A recording cannot go another way.", "Only what was recorded can be replayed.",
                "tour start --device auto",
            )  # fmt: skip
        step = command.fork.origin.partition(":")[2] if command.fork else command.at
        return self._until(lambda data: isinstance(data, ev.Step) and data.mark == "begin" and step in ("", data.step))

    def _step(self, command: protocol.Do) -> list[ev.Event]:
        first = self.recording.events[self._position] if self._position < len(self.recording.events) else None
        named = first is not None and isinstance(first.data, ev.Step) and first.data.step == command.step
        skipped = command.skip and not self.recording.hello.variant
        if first is None or not named or skipped:
            raise UsageError(
                "The recording holds no such step here.",
                f"Step '{command.step}' was asked for; only what was recorded can be replayed.",
                "tour start --device auto",
            )
        self._position += 1
        return [first, *self._until(lambda data: isinstance(data, ev.Step) and data.mark == "begin")]

    def _until(self, stop: Callable[[ev.AnyPayload], bool]) -> list[ev.Event]:
        events = self.recording.events
        start = self._position
        end = next((i for i in range(start, len(events)) if stop(events[i].data)), len(events))
        self._position = end
        return [event for event in events[start:end] if not isinstance(event.data, ev.Done)]
