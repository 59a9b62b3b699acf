"""The watch door: a socket beside a device's own on which anybody allowed may look on, and slow it down.

Each watcher gets a Hello, what stands now and then what happens, as JSON lines; what it says are the commands hold,
release, resume, rate and packet of ``protocol``. One thread serves all of them and never waits for one: who does not
read loses events (``lost``), who goes away, however suddenly, lets go of what it held. The device's worker never
waits for this door.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from tour.agent import protocol
from tour.errors import TourError, UsageError
from tour.trace import events as ev
from tour.trace.standing import Standing

SUFFIX = ".watch"
WATCHERS_MOST = 16
QUEUE_MOST = 512
"""Events that wait for one watcher; further ones are lost to it."""
COMMAND_MOST = 4096
_PIECE = 65536
_BEGINNING = (ev.Hello, ev.Watching, ev.Message, ev.Features, ev.Region, ev.Sample, ev.Rates, ev.Broken)
TOLD = (*_BEGINNING, ev.Worker, ev.Peer, ev.Note, ev.Error, ev.Lost, ev.Bye)
"""Kinds a watcher is told. What a worker in Python tells of each step is left out: the samples show the same ring at
any speed."""


_FRESH = (ev.Hello, ev.Sample, ev.Rates)
"""A newcomer gets new ones: nobody may have looked for hours."""


class Hands(Protocol):
    """Whoever can slow the watched device down. Both raise UsageError for a queue that is not there."""

    def hold(self, queue: int, on: bool) -> None:
        """The worker takes only released chains of ``queue``, or all again."""

    def release(self, queue: int, count: int) -> None:
        """It may take ``count`` more."""


class Looks(Protocol):
    """Whoever looks at the watched device, as often as asked: ``device.sampler.Sampler``."""

    def wanted(self, on: bool) -> None:
        """One watcher more, or less."""

    def packets(self, on: bool) -> None:
        """One more who wants packets, or one less."""

    def set_rate(self, hertz: float) -> None:
        """Look so often. Raises UsageError."""

    def soon(self) -> None:
        """Something is about to be seen."""


class _Watcher:
    """One connection: what waits for it, what of a command it said, which queues it holds."""

    def __init__(self, sock: socket.socket, standing: list[ev.Event]) -> None:
        self.sock = sock
        self.holds: set[int] = set()
        self.packets = False
        self._waiting: deque[ev.Event] = deque(standing)
        self._lost = 0
        self._seq = 0
        self._out = b""
        self._in = b""

    def offer(self, event: ev.Event) -> None:
        """Leave an event for it, if there is room."""
        if len(self._waiting) >= QUEUE_MOST:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._waiting.append(replace(event, actor="tour", source="tour", inferred=False, data=ev.Lost(lost)))
        self._waiting.append(event)

    @property
    def gone(self) -> bool:
        """Whether its connection was closed."""
        return self.sock.fileno() < 0

    def flush(self) -> bool:
        """Send what can be sent without waiting; whether something is left. Raises OSError when it is gone."""
        with contextlib.suppress(BlockingIOError):
            while self._out or self._waiting:
                self._out = self._out or self._line(self._waiting.popleft())
                self._out = self._out[self.sock.send(self._out) :]
        return bool(self._out)

    def _line(self, event: ev.Event) -> bytes:
        done = isinstance(event.data, ev.Done)
        event = replace(event, seq=max(0, self._seq - done))
        try:
            line = ev.encode(event)
        except ValueError:
            line = ev.encode(replace(event, data=ev.Lost(1)))
        self._seq += not done
        return line

    def commands(self) -> list[protocol.AnyCommand]:
        """What it said by now. Raises EOFError at its end, OSError, msgspec.MsgspecError for what is no command."""
        try:
            data = self.sock.recv(_PIECE)
        except BlockingIOError:
            return []
        if not data:
            raise EOFError
        *lines, self._in = (self._in + data).split(b"\n")
        if len(self._in) > COMMAND_MOST:
            raise msgspec.DecodeError("a command without end")
        return [protocol.decode(line) for line in lines]


class Door:
    """A sink that passes events on to whoever watches at ``path``.

    ``hello`` is said to each watcher first. Raises UsageError when the socket cannot be made.
    """

    def __init__(self, path: Path, hello: Callable[[], ev.Hello], looks: Looks, hands: Hands) -> None:
        from tour.scene.serve import listen, remove

        self.path = path
        self._remove = remove
        self._hello, self._looks, self._hands = hello, looks, hands
        self._lock = threading.Lock()
        self._watchers: dict[int, _Watcher] = {}
        self._standing = Standing()
        self._ends = False
        self._listener, self._inode = listen(path)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._woken = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._awake)
        self._thread = threading.Thread(target=self._run, name="watch-door", daemon=True)
        self._thread.start()

    def __call__(self, event: ev.Event) -> None:
        """Pass one event on. Never waits."""
        data = event.data
        sampled = isinstance(data, ev.Packet) and event.source == "observer"
        if not sampled and not isinstance(data, TOLD):
            return
        with self._lock:
            self._standing(event)
            for watcher in self._watchers.values():
                watcher.offer(event)
            wakes = bool(self._watchers) and not self._woken
            self._woken = self._woken or wakes
        if wakes:
            os.eventfd_write(self._wake, 1)

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)

    def close(self) -> None:
        """Say Bye to all, close, remove the socket."""
        self._ends = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)

    # --- the door's thread ---

    def _run(self) -> None:
        while not self._ends:
            for key, events in self._selector.select():
                key.data(events)
        for watcher in list(self._watchers.values()):
            watcher.offer(_said(ev.Bye("closed")))
            self._flush(watcher)
            self._leave(watcher)
        self._selector.close()
        self._listener.close()
        self._remove(self.path, self._inode)

    def _awake(self, events: int) -> None:
        os.eventfd_read(self._wake)
        with self._lock:
            self._woken = False
        for watcher in list(self._watchers.values()):
            self._flush(watcher)

    def _accept(self, events: int) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            if len(self._watchers) >= WATCHERS_MOST:
                sock.close()
                return
            self._enter(sock)

    def _enter(self, sock: socket.socket) -> None:
        with self._lock:
            hello = _said(self._hello())
            stands = [event for event in self._standing.events if not isinstance(event.data, _FRESH)]
            watcher = _Watcher(sock, [hello, *stands])
            self._watchers[sock.fileno()] = watcher
        self._selector.register(sock, selectors.EVENT_READ, lambda events: self._serve(watcher, events))
        self._looks.wanted(True)
        self._flush(watcher)

    def _leave(self, watcher: _Watcher) -> None:
        """Forget a watcher and undo what it asked for. May be called twice."""
        if watcher.gone:
            return
        with self._lock:
            self._watchers.pop(watcher.sock.fileno(), None)
        self._selector.unregister(watcher.sock)
        watcher.sock.close()
        self._looks.wanted(False)
        if watcher.packets:
            self._looks.packets(False)
        for queue in watcher.holds:
            self._let_go(queue)

    def _let_go(self, queue: int) -> None:
        if not any(queue in other.holds for other in self._watchers.values()):
            with contextlib.suppress(UsageError):
                self._hands.hold(queue, False)

    def _flush(self, watcher: _Watcher) -> None:
        if watcher.gone:
            return
        try:
            left = watcher.flush()
        except OSError:
            self._leave(watcher)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0)
        key = self._selector.get_key(watcher.sock)
        if key.events != events:
            self._selector.modify(watcher.sock, events, key.data)

    def _serve(self, watcher: _Watcher, events: int) -> None:
        if events & selectors.EVENT_READ and not watcher.gone:
            try:
                for command in watcher.commands():
                    self._answer(watcher, command)
            except (EOFError, OSError, msgspec.MsgspecError):
                self._leave(watcher)
                return
        self._flush(watcher)

    # --- commands ---

    def _answer(self, watcher: _Watcher, command: protocol.AnyCommand) -> None:
        """Do what a watcher asks, and say Done to it alone."""
        try:
            self._do(watcher, command)
            answer: ev.AnyPayload = ev.Done(command.id)
        except TourError as error:
            watcher.offer(_said(ev.Error(error.what, error.why, error.fix)))
            answer = ev.Done(command.id, ok=False)
        watcher.offer(_said(answer))

    def _do(self, watcher: _Watcher, command: protocol.AnyCommand) -> None:
        if isinstance(command, protocol.Hold):
            self._hands.hold(command.queue, True)
            watcher.holds.add(command.queue)
        elif isinstance(command, protocol.Release):
            self._hands.release(command.queue, max(0, min(command.count, 1 << 16)))
            self._looks.soon()
        elif isinstance(command, protocol.Resume):
            self._hands.hold(command.queue, False)
            for other in self._watchers.values():
                other.holds.discard(command.queue)
        elif isinstance(command, protocol.Rate):
            self._looks.set_rate(command.hertz)
        elif isinstance(command, protocol.Packet):
            if command.on != watcher.packets:
                self._looks.packets(command.on)
            watcher.packets = command.on
        else:
            raise UsageError("A device that is watched has no lessons.", "", "tour start")


def _said(data: ev.AnyPayload) -> ev.Event:
    """An event of the door's own, for one watcher; it gets its number there."""
    return ev.Event(0, time.monotonic_ns(), "tour", "tour", data)
