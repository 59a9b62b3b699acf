"""The worker: one thread that sleeps in epoll until a doorbell rings or the port is ready, then takes a turn.

It costs nothing while idle. It never reads a kick eventfd, as vhost never does: EPOLLET tells of each write.
Interest in the port is armed for one event at a time (EPOLLONESHOT), as vhost_poll_start and _stop do.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from tour.device.embedded.files import Doorbell, Port
from tour.device.worker import WorkerThread

Turn = Callable[[int], bool]
"""One turn of a ring; True when the ring wants another."""
_PORT_EVENTS = (select.EPOLLIN, select.EPOLLOUT)
"""What ring 0 (receive) and ring 1 (transmit) wait for at the port."""
JOIN_SECONDS = 5.0


class Worker:
    """Runs ``turn(index)`` in a thread of its own, with ``baton`` held for the whole turn if there is one.

    ``kicked(index)`` is told of each time that a kick woke it."""

    def __init__(self, turn: Turn, baton: threading.Lock | None, kicked: Callable[[int], None]) -> None:
        self._turn = turn
        self._kicked = kicked
        self._baton = baton
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._kicks: dict[int, tuple[int, Doorbell]] = {}
        self._ports: dict[int, int] = {}
        self._queued: set[int] = set()
        self._ending = False
        self._asleep = False
        self._turns = 0
        self._waiter = self._event_poll()
        self._named = threading.Event()
        self.name = f"vhost-{threading.get_native_id()}"
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        self._named.wait()

    @property
    def shown(self) -> WorkerThread:
        """Who it is in /proc."""
        return WorkerThread(self.name, self._thread.native_id or 0, "ours")

    # --- called by control ---

    @property
    def idle(self) -> bool:
        """Whether the thread sleeps and nothing has happened that would wake it.

        /proc cannot tell: a Python thread that waits for its turn at the interpreter looks asleep too.
        """
        turns = self._turns
        return self._asleep and not self._event_poll().poll(0) and self._asleep and turns == self._turns

    @property
    def wakes(self) -> int:
        """How often the thread has slept and come back."""
        return self._turns

    def watch_kick(self, index: int, doorbell: Doorbell) -> None:
        """Take a turn of ring ``index`` whenever ``doorbell`` rings, and now if it has rung."""
        self._kicks[doorbell.fd] = (index, doorbell)
        self._epoll.register(doorbell.fd, select.EPOLLIN | select.EPOLLET)

    def drop_kick(self, doorbell: Doorbell) -> None:
        """Forget ``doorbell``."""
        if self._kicks.pop(doorbell.fd, None):
            self._epoll.unregister(doorbell.fd)

    def watch_port(self, index: int, port: Port) -> None:
        """Take one turn of ring ``index`` once ``port`` is ready."""
        events = _PORT_EVENTS[index] | select.EPOLLONESHOT
        if port.fd in self._ports:
            self._epoll.modify(port.fd, events)
        else:
            self._ports[port.fd] = index
            self._epoll.register(port.fd, events)
        if port.pending is not None:
            self.queue(index)

    def rest_port(self, port: Port) -> None:
        """Take no turn for ``port`` until watched again."""
        if port.fd in self._ports:
            self._epoll.modify(port.fd, select.EPOLLONESHOT)

    def drop_port(self, port: Port) -> None:
        """Forget ``port``."""
        if self._ports.pop(port.fd, None) is not None:
            self._epoll.unregister(port.fd)

    def queue(self, index: int) -> None:
        """Take a turn of ring ``index`` soon (vhost_poll_queue)."""
        self._queued.add(index)
        os.eventfd_write(self._wake, 1)

    def _event_poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self._epoll.fileno(), select.POLLIN)
        return poll

    def end(self) -> bool:
        """End the thread. False when it did not end within 5 seconds."""
        self._ending = True
        os.eventfd_write(self._wake, 1)
        self._thread.join(JOIN_SECONDS)
        if self._thread.is_alive():
            return False
        self._epoll.close()
        os.close(self._wake)
        return True

    # --- the thread ---

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(self.name[:15])
        self._named.set()
        while not self._ending:
            self._sleep()
            for index in self._ready(self._epoll.poll(0)):
                self._take_turn(index)

    def _sleep(self) -> None:
        """Wait until there are events, without taking them: until we say we are awake, ``idle`` sees them too."""
        self._asleep = True
        self._waiter.poll()
        self._turns += 1
        self._asleep = False

    def _ready(self, events: Iterable[tuple[int, int]]) -> list[int]:
        """The rings to work on, each once, in the order their events came."""
        rings: dict[int, None] = {}
        for fd, _ in events:
            if fd == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._wake)
                while self._queued:
                    rings[self._queued.pop()] = None
            elif kick := self._kicks.get(fd):
                kick[1].drain()
                rings[kick[0]] = None
                self._kicked(kick[0])
            elif (index := self._ports.get(fd)) is not None:
                rings[index] = None
        return list(rings)

    def _take_turn(self, index: int) -> None:
        if not self._hold_baton():
            return
        try:
            if self._turn(index):
                self.queue(index)
        finally:
            if self._baton:
                self._baton.release()

    def _hold_baton(self) -> bool:
        """Wait for the baton, but not past the end: control may hold it while it closes us."""
        while self._baton and not self._ending:
            if self._baton.acquire(timeout=0.1):
                return True
        return not self._ending
