"""A front end's socket: whole messages out of it, replies into it, never more kept than one message.

Nothing here blocks. What a peer sends is read to the byte, so that descriptors are always those of the message they
came with; a message that never ends costs the peer its connection (``deadline``).
"""

from __future__ import annotations

import array
import contextlib
import errno
import os
import select
import socket
import struct
import time

from tour.abi import vhost_user as abi
from tour.device.vhost_user.message import FDS_MAX, Header, Message, close_all, pack, parse_header
from tour.errors import MessageError, MessageFault

HALF_SECONDS = 10.0
"""How long a message that was begun may take to arrive."""
_ANCILLARY = socket.CMSG_SPACE((FDS_MAX + 1) * 4)


class PeerGone(Exception):
    """The other end closed the connection. ``clean``: not in the middle of a message."""

    def __init__(self, *, clean: bool) -> None:
        super().__init__("the front end closed the connection")
        self.clean = clean


class Connection:
    """Takes ``sock`` over. ``pid`` is the process that connected, 0 where it is in another pid namespace."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        self.pid = _peer_pid(sock)
        self.deadline: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._data = b""
        self._fds: list[int] = []
        self._header: Header | None = None

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.sock.fileno()

    def receive(self) -> Message | None:
        """The next whole message, None when it is not all here yet. Raises PeerGone, MessageError."""
        if self._header is None:
            if not self._fill(abi.HEADER.size):
                return None
            self._header, self._data = parse_header(self._data), b""
        if not self._fill(self._header.size):
            return None
        message = Message(self._header.request, self._header.flags, self._data, self._fds)
        self._begin()
        self.deadline = None
        return message

    def _fill(self, size: int) -> bool:
        """Read until ``size`` bytes are here. Raises PeerGone, MessageError(FDS_LOST)."""
        while len(self._data) < size:
            try:
                data, control, flags, _ = self.sock.recvmsg(
                    size - len(self._data), _ANCILLARY, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
                )
            except BlockingIOError:
                return False
            except OSError as error:
                # A reset: it left without reading our last answer.
                raise PeerGone(clean=not self._data and self._header is None) from error
            self._fds += _descriptors(control)
            if flags & socket.MSG_CTRUNC or len(self._fds) > FDS_MAX:
                raise MessageError(MessageFault.FDS_LOST, len(self._fds))
            if not data:
                raise PeerGone(clean=not self._data and self._header is None)
            if self.deadline is None:
                self.deadline = time.monotonic() + HALF_SECONDS
            self._data += data
        return True

    def send(self, request: int, flags: int, payload: bytes) -> None:
        """Send one message, in one piece. Raises PeerGone; MessageError when the peer reads none of its replies."""
        data = pack(request, flags, payload)
        try:
            sent = self.sock.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            raise MessageError(MessageFault.NO_REPLIES_READ) from None
        except OSError as error:
            raise PeerGone(clean=error.errno in (errno.EPIPE, errno.ECONNRESET)) from error
        if sent != len(data):
            raise MessageError(MessageFault.NO_REPLIES_READ, sent)

    def hung_up(self) -> bool:
        """Whether the other end is gone, though what it said last may not be read yet."""
        poll = select.poll()
        poll.register(self.sock, 0)
        return bool(poll.poll(0))

    def late(self) -> MessageError:
        """The error for a message that was not finished by ``deadline``."""
        return MessageError(MessageFault.HALF, len(self._data))

    def close(self) -> None:
        """Close the socket and what a half message brought. May be called twice."""
        close_all(self._fds)
        self.sock.close()


def _descriptors(control: list[tuple[int, int, bytes]]) -> list[int]:
    fds = array.array("i")
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return fds.tolist()


def _peer_pid(sock: socket.socket) -> int:
    with contextlib.suppress(OSError):
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=3i"))
        return int(struct.unpack("=3i", raw)[0])
    return 0


def send_message(sock: socket.socket, request: int, flags: int, payload: bytes, fds: list[int]) -> None:
    """The front end's side: send a message with descriptors, blocking. Raises OSError."""
    data = pack(request, flags, payload)
    sent = socket.send_fds(sock, [data], fds)
    while sent < len(data):
        sent += os.write(sock.fileno(), data[sent:])
