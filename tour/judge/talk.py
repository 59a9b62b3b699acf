"""The judge's end of the conversation with a student's code: handles out, operations in, each logged.

``Jailed`` speaks to a harness in a jail, ``Trusted`` runs code of ours in this process by the same way.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from tour.errors import GuestMemoryError, RingError
from tour.judge.harness import MESSAGE_MAX, Student, plain
from tour.judge.ops import Broken, Handle, Op, Refused

OPS_MAX = 20_000
BYTES_MAX = 1 << 24
"""What is kept of one check is bounded: operations, and the bytes handed over in them."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Raised(Exception):
    """The student's code raised ``kind`` with ``text`` at its ``line``."""

    def __init__(self, kind: str, text: str, line: int) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text, self.line = kind, text, line


class Gone(Exception):
    """The student's process does not answer any more; ``how`` says why: ``timed out``, ``cpu``, ``exit 7`` ..."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


Hook = Callable[[Op], object]


class Talk:
    """Handles given in one check, and everything done with them, in order.

    ``before`` is called before an operation is done (its result still None), ``after`` when it is; the first Broken
    that one raises is kept in ``broken``, and the student's code goes on.
    """

    def __init__(self) -> None:
        self.log: list[Op] = []
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.line = 0
        self.broken: Broken | None = None
        self._handles: list[Handle] = []
        self._bytes = 0

    def give(self, arg: Any) -> Any:
        """An argument as it is sent: a handle by its number."""
        if not isinstance(arg, Handle):
            return plain(arg)
        if arg not in self._handles:
            self._handles.append(arg)
        return {"handle": self._handles.index(arg), "kind": arg.kind, "facts": arg.facts()}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do one operation that was asked for. Raises Gone for what no harness of ours would send."""
        number, method, args, line = (asked.get(key) for key in ("do", "m", "a", "l"))
        if not (isinstance(number, int) and 0 <= number < len(self._handles) and isinstance(method, str)):
            raise Gone("broken conversation")
        if not isinstance(args, list) or not isinstance(line, int):
            raise Gone("broken conversation")
        self._bytes += sum(len(arg) for arg in args if isinstance(arg, (bytes, str, list, dict)))
        if len(self.log) >= OPS_MAX or self._bytes > BYTES_MAX:
            raise Gone("timed out")
        self.line = line
        handle = self._handles[number]
        try:
            return {"r": plain(self._do(handle, method, args))}
        except Refused as error:
            self.log.append(Op(handle.name, method, tuple(_frozen(args)), f"{error.kind}: {error}", line))
            return {"x": [error.kind, str(error)]}
        except (RingError, GuestMemoryError, ValueError) as error:
            self.log.append(Op(handle.name, method, tuple(_frozen(args)), type(error).__name__, line))
            return {"x": ["ValueError", str(error)]}

    def _do(self, handle: Handle, method: str, args: list[Any]) -> Any:
        asked = Op(handle.name, method, tuple(_frozen(args)), None, self.line)
        self._run(self.before, asked)
        result = handle.do(method, args)
        self._bytes += len(result) if isinstance(result, bytes) else 0
        done = asked._replace(result=_frozen_one(result))
        self.log.append(done)
        self._run(self.after, done)
        return result

    def _run(self, hooks: list[Hook], op: Op) -> None:
        for hook in hooks:
            try:
                hook(op)
            except Broken as broken:
                self.broken = self.broken or broken


def _frozen(args: Sequence[Any]) -> list[Any]:
    return [_frozen_one(arg) for arg in args]


def _frozen_one(value: Any) -> Any:
    return tuple(_frozen(value)) if isinstance(value, list) else value


class Runner(Protocol):
    """Somewhere a submission runs."""

    def load(self, name: str, source: str, seconds: float) -> None:
        """Execute it as a module. Raises Raised, Gone."""

    def call(self, talk: Talk, name: str, args: Sequence[Any], seconds: float) -> Any:
        """Call one of its functions; what it returned. Raises Raised, Gone."""


class Trusted:
    """Code of ours (a reference, a known mistake), in this process: nothing is around it."""

    def __init__(self) -> None:
        self._talk = Talk()
        self._said: dict[str, Any] = {}
        self._student = Student(self)  # type: ignore[arg-type]

    def send(self, message: dict[str, Any]) -> None:
        """As a harness's channel: the operation is done at once."""
        self._said = self._talk.answer(message)

    def receive(self) -> dict[str, Any]:
        """As a harness's channel: its answer."""
        return self._said

    def load(self, name: str, source: str, seconds: float) -> None:
        """See ``Runner``."""
        _outcome(self._student.answer({"load": source, "name": name}))

    def call(self, talk: Talk, name: str, args: Sequence[Any], seconds: float) -> Any:
        """See ``Runner``."""
        self._talk = talk
        return _outcome(self._student.answer({"call": name, "args": [talk.give(arg) for arg in args]}))


class Jailed:
    """The harness at the other end of ``sock``; ``ended`` tells, once it does not answer, what became of it."""

    def __init__(self, sock: socket.socket, ended: Callable[[], str]) -> None:
        self._sock = sock
        self._ended = ended

    def load(self, name: str, source: str, seconds: float) -> None:
        """See ``Runner``."""
        self._converse(Talk(), {"load": source, "name": name}, seconds)

    def call(self, talk: Talk, name: str, args: Sequence[Any], seconds: float) -> Any:
        """See ``Runner``."""
        return self._converse(talk, {"call": name, "args": [talk.give(arg) for arg in args]}, seconds)

    def _converse(self, talk: Talk, asked: dict[str, Any], seconds: float) -> Any:
        until = time.monotonic() + seconds
        self._send(asked)
        while True:
            told = self._receive(until)
            if "do" not in told:
                return _outcome(told)
            self._send(talk.answer(told))

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._sock.settimeout(5.0)
            self._sock.send(_encode(message))
        except OSError as error:
            raise Gone(self._ended()) from error

    def _receive(self, until: float) -> dict[str, Any]:
        self._sock.settimeout(max(0.001, until - time.monotonic()))
        try:
            data = self._sock.recv(MESSAGE_MAX)
        except TimeoutError as error:
            raise Gone("timed out") from error
        except OSError as error:
            raise Gone(self._ended()) from error
        if not data:
            raise Gone(self._ended())
        try:
            told = _decode(data)
        except msgspec.DecodeError as error:
            raise Gone("broken conversation") from error
        if not isinstance(told, dict):
            raise Gone("broken conversation")
        return told


def _outcome(told: dict[str, Any]) -> Any:
    """What a call or a load came to. Raises Raised, Gone."""
    if "raised" in told:
        kind, text, line = told.get("raised"), told.get("text"), told.get("line")
        if not (isinstance(kind, str) and isinstance(text, str) and isinstance(line, int)):
            raise Gone("broken conversation")
        raise Raised(kind[:80], text[:500], line)
    if "done" not in told:
        raise Gone("broken conversation")
    return told["done"]
