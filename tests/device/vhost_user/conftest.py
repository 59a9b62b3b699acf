"""A server in this process with real sockets, memory and doorbells; a front end of ours, and one that says anything."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support import require
from tour.abi import vhost_user as abi
from tour.abi.vhost_user import Request
from tour.device.embedded import EmbeddedDevice
from tour.device.vhost_user.connection import send_message
from tour.scene.ports import NullPorts, ServerPorts, SocketpairPorts
from tour.scene.serve import Server
from tour.testing.front import BUFFERS, FEATURES, Driver, wait_for
from tour.trace import events as ev
from tour.trace.recorder import Recorder

T = TypeVar("T")
__all__ = ["BUFFERS", "FEATURES", "Driver", "Raw", "Serve", "Serving", "descriptors", "wait_for"]


class Serving:
    """A server in a thread. ``events`` is all it told."""

    def __init__(self, path: Path, ports: ServerPorts, gear: str, once: bool = False) -> None:
        self.path = path
        self.events: list[ev.Event] = []

        def device(recorder: Recorder) -> EmbeddedDevice:
            return EmbeddedDevice(
                recorder, gear="engine" if gear == "engine" else "python", on_violation="quarantine", pipes=True
            )

        self.server = Server(path, ports, device, Recorder(self.events.append), once=once)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def told(self, kind: type[T]) -> list[T]:
        """Payloads of a kind, in order."""
        return [event.data for event in list(self.events) if isinstance(event.data, kind)]

    def notes(self) -> list[str]:
        """Keys of the notes."""
        return [note.key for note in self.told(ev.Note)]

    def close(self) -> None:
        if self.thread.is_alive():
            self.server.stop()
            self.thread.join(10)
        assert not self.thread.is_alive()
        self.server.close()
        self.server.ports.close()


Serve = Callable[..., Serving]


@pytest.fixture(params=["python", "engine"])
def gear(request: pytest.FixtureRequest) -> str:
    require("embedded")
    return str(request.param)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers; nothing of them is left: no descriptor, no thread, no socket."""
    require("embedded")
    before, threads = descriptors(), threading.active_count()
    with ExitStack() as stack:

        def start(port: str = "null", pairs: int = 1, gear: str = "engine", once: bool = False) -> Serving:
            ports = {"null": NullPorts, "socketpair": SocketpairPorts}[port](pairs)
            serving = Serving(tmp_path / f"s{len(os.listdir(tmp_path))}", ports, gear, once)
            stack.callback(serving.close)
            return serving

        yield start
    assert descriptors() == before
    assert threading.active_count() == threads
    assert not [name for name in os.listdir(tmp_path) if (tmp_path / name).is_socket()]


def descriptors() -> list[str]:
    """What this process has open, apart from what lists it."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return sorted(found)


class Raw:
    """A front end that says anything. ``ask`` is a message with an answer, ``say`` one without."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(str(path))

    def say(self, request: int, payload: bytes = b"", fds: list[int] | None = None, flags: int = abi.VERSION) -> None:
        send_message(self.sock, request, flags, payload, fds or [])

    def ask(self, request: int, payload: bytes = b"", fds: list[int] | None = None, flags: int = abi.VERSION) -> bytes:
        self.say(request, payload, fds, flags)
        header = abi.HEADER.unpack(self.exactly(abi.HEADER.size))
        assert header["request"] == request and header["flags"] == abi.VERSION | abi.REPLY
        return self.exactly(header["size"])

    def acknowledged(self, request: int, payload: bytes = b"", fds: list[int] | None = None) -> int:
        """0 or 1, with REPLY_ACK negotiated."""
        return abi.U64.unpack(self.ask(request, payload, fds, abi.VERSION | abi.NEED_REPLY))["u64"]

    def negotiate(self) -> None:
        """All protocol features, and the session begun."""
        word = self.ask(Request.VHOST_USER_GET_PROTOCOL_FEATURES)
        self.say(Request.VHOST_USER_SET_PROTOCOL_FEATURES, word)
        self.say(Request.VHOST_USER_SET_OWNER)

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            assert piece, "the server closed the connection"
            data += piece
        return data

    def closed(self) -> bool:
        """Whether the server closes the connection, all answers to nothing."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()
