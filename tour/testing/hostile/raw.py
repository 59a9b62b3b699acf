"""A front end that says anything on a vhost-user socket, and descriptors of every kind to say it with."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from tour.abi import vhost_user as abi
from tour.abi.vhost_user import Request
from tour.device.vhost_user.connection import send_message

SIZE = 0x10000


class Raw:
    """A connection to the server at ``path``; a context manager."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(str(path))

    def say(self, request: int, payload: bytes = b"", fds: list[int] | None = None, flags: int = 0) -> None:
        """Send a message of version 1 with further ``flags``."""
        send_message(self.sock, request, abi.VERSION | flags, payload, fds or [])

    def ask(self, request: int) -> bytes:
        """Send a message that has an answer; returns it. Raises OSError."""
        self.say(request)
        size = abi.HEADER.unpack(self.sock.recv(abi.HEADER.size, socket.MSG_WAITALL))["size"]
        return self.sock.recv(size, socket.MSG_WAITALL)

    def negotiate(self) -> None:
        """All protocol features, and the session begun."""
        self.say(Request.VHOST_USER_SET_PROTOCOL_FEATURES, self.ask(Request.VHOST_USER_GET_PROTOCOL_FEATURES))
        self.say(Request.VHOST_USER_SET_OWNER)

    def closed(self) -> bool:
        """Whether the server closes the connection."""
        with contextlib.suppress(ConnectionResetError):
            return self.sock.recv(1) == b""
        return True

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


@contextlib.contextmanager
def opened(kind: str) -> Iterator[int]:
    """A descriptor of a kind that the catalogue names, closed afterwards."""
    with contextlib.ExitStack() as stack:
        fd = {"eventfd": _eventfd, "memory": _memory, "pipe": _pipe, "socket": _socket, "zero": _zero}.get(kind, _read)(
            stack
        )
        stack.callback(os.close, fd)
        yield fd


def _eventfd(stack: contextlib.ExitStack) -> int:
    return os.eventfd(0, os.EFD_CLOEXEC)


def _memory(stack: contextlib.ExitStack) -> int:
    fd = os.memfd_create("guest", os.MFD_CLOEXEC)
    os.ftruncate(fd, SIZE)
    return fd


def _pipe(stack: contextlib.ExitStack) -> int:
    read, write = os.pipe2(os.O_CLOEXEC)
    stack.callback(os.close, write)
    return read


def _socket(stack: contextlib.ExitStack) -> int:
    return socket.socket(socket.AF_UNIX).detach()


def _zero(stack: contextlib.ExitStack) -> int:
    return os.open("/dev/zero", os.O_RDWR | os.O_CLOEXEC)


def _read(stack: contextlib.ExitStack) -> int:
    """A file that may only be read."""
    fd = _memory(stack)
    stack.callback(os.close, fd)
    return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
