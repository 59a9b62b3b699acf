"""A vhost-user back-end as a socket handed to a student: our server's own session judges every message."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tour.abi import vhost_user as abi
from tour.device.contract import Backend
from tour.device.vhost_user.connection import Connection, PeerGone
from tour.device.vhost_user.exchange import exchange
from tour.device.vhost_user.session import Session
from tour.errors import MessageError
from tour.judge.ops import Handle, Refused
from tour.net.null import NullPort
from tour.trace.recorder import Recorder


class NoPorts:
    """No queue pairs: the session has no device behind it and says what it is told to offer."""

    pairs = 0
    offloads = 0

    def __init__(self) -> None:
        self._null = NullPort()
        self.null: Backend = self._null

    def port(self, pair: int) -> Backend:
        """Nothing."""
        return self.null

    def negotiated(self, features: int, header_len: int) -> None:
        """Nothing to be told."""

    def use(self, pair: int, on: bool) -> None:
        """Nothing to be steered."""

    def close(self) -> None:
        """Let go of all."""
        self._null.close()


class BackEnd(Session):
    """A session that offers these two words. ``asked`` are the requests that came, in order."""

    def __init__(self, offered: int, protocol_offered: int, recorder: Recorder, stack: ExitStack) -> None:
        ports = NoPorts()
        stack.callback(ports.close)
        super().__init__(ports, _no_device, recorder)
        self._offered, self._protocol_offered = offered, protocol_offered
        self.asked: list[int] = []

    @property
    def offered(self) -> int:
        """See ``Session``."""
        return self._offered

    @property
    def protocol_offered(self) -> int:
        """See ``Session``."""
        return self._protocol_offered


def _no_device(recorder: Recorder) -> Any:  # noqa: ANN401 - never called
    raise NotImplementedError


class SocketHandle(Handle):
    """The front end's end of the connection: ``send`` bytes, ``receive`` at most so many (none: it was closed).

    ``pieces`` gives what waits in pieces of random sizes, as a stream may; ``spoil`` changes each answer's bytes, to
    none where the back-end goes away.
    ``refused`` says which message the back-end did not take, and why.
    """

    kind = "socket"
    methods = {"send": ("bytes",), "receive": ("size",)}

    def __init__(
        self,
        name: str,
        back_end: BackEnd,
        stack: ExitStack,
        pieces: random.Random | None = None,
        spoil: Callable[[bytes], bytes] = bytes,
    ) -> None:
        super().__init__(name)
        self.back_end, self.refused = back_end, ""
        self._pieces, self._spoil = pieces, spoil
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ours.setblocking(False)
        self._connection = Connection(theirs)
        self._waiting, self._ended = b"", False
        stack.callback(self._ours.close)
        stack.callback(self._connection.close)

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        return self._send(*args) if method == "send" else self._receive(*args)

    def _send(self, data: bytes) -> int:
        if self.refused:
            raise Refused("BrokenPipeError", f"the back-end has closed the connection: {self.refused}")
        self._ours.sendall(data)
        request = -1
        try:
            while (message := self._connection.receive()) is not None:
                request = message.request
                self.back_end.asked.append(request)
                exchange(self.back_end, self._connection, message)
                self._keep(self._answer())
        except (MessageError, PeerGone) as error:
            self.refused = f"{abi.name_of(request)}: {error}" if request >= 0 else str(error)
        return len(data)

    def _keep(self, answer: bytes) -> None:
        spoilt = self._spoil(answer)
        self._waiting += spoilt
        if answer and not spoilt:
            self.refused = "it went away"

    def _answer(self) -> bytes:
        try:
            return self._ours.recv(1 << 16)
        except BlockingIOError:
            return b""

    def _receive(self, size: int) -> bytes:
        if not self._waiting:
            if self.refused and not self._ended:
                self._ended = True
                return b""
            raise Refused("TimeoutError", self.refused or "nothing comes: no answer is due")
        if self._pieces and size > 1:
            size = self._pieces.randrange(1, size)
        found, self._waiting = self._waiting[:size], self._waiting[size:]
        return found

    def unread(self) -> int:
        """Bytes that were answered and never received."""
        return len(self._waiting)

    def half(self) -> bool:
        """Whether a message was begun and not finished."""
        return self._connection.deadline is not None
