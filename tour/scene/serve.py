"""The vhost-user server: one socket, one front end at a time, devices of ours behind it.

One thread waits in epoll for the socket, the front end and whoever else is added; packets are moved by the devices'
own workers. Nothing happens, and nothing is spent, while nobody sends anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tour.device.vhost_user.connection import Connection, PeerGone
from tour.device.vhost_user.exchange import exchange, tell_bytes
from tour.device.vhost_user.session import MakeDevice, Session
from tour.errors import MessageError, UsageError
from tour.scene.ports import ServerPorts
from tour.trace.events import Note, Watching
from tour.trace.recorder import Recorder

PATH_MAX = 107
"""sun_path of struct sockaddr_un holds 108 bytes with its NUL (unix(7))."""
WAITING_MOST = 128
FULL_SECONDS = 1.0
"""How long nobody is let in after the process ran out of descriptors."""


class Server:
    """Serves front ends on the Unix socket ``path`` until ``stop``, or until the first has left (``once``).

    ``on_session`` is called with each new session, and with None when it has ended.
    Raises UsageError for a place where no socket can be or where another server listens.
    """

    def __init__(
        self, path: Path, ports: ServerPorts, make_device: MakeDevice, recorder: Recorder, *, once: bool = False
    ) -> None:
        self.path = path
        self.ports = ports
        self.recorder = recorder
        self.once = once
        self.session: Session | None = None
        self.on_session: Callable[[Session | None], None] = lambda session: None
        self._make_device = make_device
        self._connection: Connection | None = None
        self._stopping = False
        self._resting: float | None = None
        self._listener, self._inode = listen(path)
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._callbacks: dict[int, Callable[[], None]] = {}
        self.add(self._wake, self._woken)
        self.add(self._listener.fileno(), self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    # --- the loop ---

    def add(self, fd: int, callback: Callable[[], None]) -> None:
        """Have ``callback`` called in the server's thread whenever ``fd`` can be read."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, select.EPOLLIN)

    def drop(self, fd: int) -> None:
        """Forget ``fd``."""
        if self._callbacks.pop(fd, None):
            self._epoll.unregister(fd)

    def run(self) -> None:
        """Serve until stopped."""
        self._watched()
        while not self._stopping:
            for fd, _ in self._epoll.poll(self._patience()):
                if callback := self._callbacks.get(fd):
                    callback()
            self._overdue()

    def stop(self) -> None:
        """End ``run`` soon; from any thread, or a signal's handler."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _patience(self) -> float | None:
        """Seconds until something is overdue, None when nothing ever will be."""
        ends = [self._resting, self._connection.deadline if self._connection else None]
        waiting = [end for end in ends if end is not None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _overdue(self) -> None:
        now = time.monotonic()
        if self._resting is not None and now >= self._resting:
            self._resting = None
            self.add(self._listener.fileno(), self._accept)
        connection = self._connection
        if connection and connection.deadline is not None and now >= connection.deadline:
            self._break(connection.late())

    # --- front ends come and go ---

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # Out of descriptors: whoever waits would wake us at once, for ever.
            self.drop(self._listener.fileno())
            self._resting = time.monotonic() + FULL_SECONDS
            return
        if self._connection is not None and self._connection.hung_up():
            self._end("serve.front_end_left")
        if self._connection is not None:
            sock.close()
            self._note("serve.front_end_refused")
            return
        self._begin(Connection(sock))

    def _begin(self, connection: Connection) -> None:
        try:
            self.session = Session(self.ports, self._make_device, self.recorder)
        except OSError:
            connection.close()
            self._note("serve.front_end_unserved")
            return
        self._connection = connection
        self.add(connection.fileno(), self._receive)
        self._watched()
        self._note("serve.front_end_came", pid=connection.pid)
        self.on_session(self.session)

    def _receive(self) -> None:
        """One message, if it is all here: others get their turn between two."""
        connection, session = self._connection, self.session
        if connection is None or session is None:
            return
        try:
            message = connection.receive()
            if message is not None:
                exchange(session, connection, message)
        except PeerGone as gone:
            self._end("serve.front_end_left" if gone.clean else "serve.front_end_lost")
        except MessageError as refused:
            self._break(refused)

    def _break(self, refused: MessageError) -> None:
        """The connection is of no use any more: BROKEN."""
        if self._connection and not refused.told:
            tell_bytes(self.recorder, refused)
        self._end("serve.front_end_broken")

    def _end(self, how: str) -> None:
        """The front end is gone, or has to go; the next may come at once."""
        connection, self._connection = self._connection, None
        session, self.session = self.session, None
        if connection:
            self.drop(connection.fileno())
            connection.close()
        if session:
            self.on_session(None)
            session.close()
            self._note(how)
            self._watched()
            if self.once:
                self.stop()

    def _note(self, key: str, **args: object) -> None:
        self.recorder.emit(Note(key, dict(args)), actor="control")

    def _watched(self) -> None:
        pid = self._connection.pid if self._connection else 0
        watching = Watching("socket", str(self.path), pid, _name(pid), 2 * self.ports.pairs)
        self.recorder.emit(watching, actor="tour")

    def close(self) -> None:
        """Let go of the front end and of the socket, which is removed. May be called twice."""
        if self._wake < 0:
            return
        self._end("serve.stopped")
        self._listener.close()
        remove(self.path, self._inode)
        self._epoll.close()
        os.close(self._wake)
        self._wake = -1


def _name(pid: int) -> str:
    """The process's name in /proc, '' for none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() if pid else ""
    except OSError:
        return ""


def listen(path: Path) -> tuple[socket.socket, int]:
    """A listening socket at ``path``, for this user alone, and its inode. One that nobody listens on is replaced.

    Raises UsageError.
    """
    if len(os.fsencode(path)) > PATH_MAX:
        raise UsageError(f"The socket's path is longer than {PATH_MAX} bytes: {path}.", "", "choose a shorter one")
    _make_room(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    mask = os.umask(0o177)
    try:
        sock.bind(os.fsencode(path))
        sock.listen(WAITING_MOST)
        return sock, os.stat(path).st_ino
    except OSError as error:
        sock.close()
        raise UsageError(f"No socket can be made at {path}: {error.strerror}.", "", "choose another place") from error
    finally:
        os.umask(mask)


def _make_room(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises UsageError for anything else that is there."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path} is there already and is no socket.", "", "choose another place")
    # A datagram socket may not connect to a stream one: whoever listens there is found, and never sees a front end.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as probe:
        code = probe.connect_ex(os.fsencode(path))
    if code != errno.ECONNREFUSED:
        raise UsageError(f"Another server listens on {path}.", "", "end it, or choose another place")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove(path: Path, inode: int) -> None:
    """Remove the socket, if it is still the one we made."""
    with contextlib.suppress(OSError):
        if os.lstat(path).st_ino == inode:
            os.unlink(path)
