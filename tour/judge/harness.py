"""Inside the jail: the student's module, and stand-ins for what the judge hands its functions.

Nothing here is trusted. It answers the judge's calls on descriptor 3; what the student's code does to a stand-in
becomes a question to the judge. Started as ``python -m tour.judge.harness`` by the jail.
"""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec

from tour.errors import GuestMemoryError, MemoryFault
from tour.virtqueue.ring import Desc, Used

CHANNEL = 3
MESSAGE_MAX = 1 << 17
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_SHAPES: dict[str, Callable[..., Any]] = {"read_desc": Desc, "read_used_entry": Used}


class Channel:
    """Whole messages to and from the judge."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, message: dict[str, Any]) -> None:
        """One message. Raises OSError when it is too long or nobody is there."""
        self._sock.send(_encode(message))

    def receive(self) -> dict[str, Any]:
        """The next message. Raises EOFError when the judge is gone."""
        data = self._sock.recv(MESSAGE_MAX)
        if not data:
            raise EOFError
        found: dict[str, Any] = _decode(data)
        return found


class StandIn:
    """A ring, memory, doorbell or port of the judge's: every method call is asked for there."""

    def __init__(self, student: Student, told: dict[str, Any]) -> None:
        self._student = student
        self._handle = told["handle"]
        self._kind = told["kind"]
        self.__dict__.update(told["facts"])

    def __repr__(self) -> str:
        return f"<{self._kind}>"

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        def ask(*args: Any) -> Any:
            return self._student.ask(self._handle, method, args)

        return ask

    def __call__(self, *args: Any) -> Any:
        """As a doorbell or a port is used."""
        return self._student.ask(self._handle, "__call__", args)


class Student:
    """The student's module and the conversation about it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._file = ""
        self._names: dict[str, Any] = {}

    def serve(self) -> None:
        """Do what the judge asks until it is gone."""
        while True:
            try:
                asked = self._channel.receive()
            except EOFError:
                return
            self._channel.send(self.answer(asked))

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What one call of the judge comes to."""
        try:
            if "load" in asked:
                return self._load(asked["name"], asked["load"])
            return self._call(asked["call"], asked["args"])
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the student's
            return self._raised(error)

    def _load(self, name: str, source: str) -> dict[str, Any]:
        self._file = name
        self._names = {"__name__": "submission", "__file__": name}
        exec(compile(source, name, "exec", dont_inherit=True), self._names)  # noqa: S102 - that is what it is for
        return {"done": sorted(key for key, value in self._names.items() if callable(value))}

    def _call(self, name: str, args: list[Any]) -> dict[str, Any]:
        function = self._names.get(name)
        if not callable(function):
            return {"raised": "missing", "text": name, "line": 0}
        value = function(*(self._given(arg) for arg in args))
        return {"done": plain(value)}

    def _given(self, arg: Any) -> Any:
        return StandIn(self, arg) if isinstance(arg, dict) and "handle" in arg else arg

    def ask(self, handle: int, method: str, args: tuple[Any, ...]) -> Any:
        """One operation, done by the judge."""
        line = self._line(sys._getframe(2))  # noqa: SLF001
        self._channel.send({"do": handle, "m": method, "a": [plain(arg) for arg in args], "l": line})
        told = self._channel.receive()
        if "x" in told:
            raise _exception(*told["x"])
        value: Any = told.get("r")
        return _SHAPES[method](*value) if method in _SHAPES else value

    def _line(self, frame: FrameType | None) -> int:
        while frame is not None and frame.f_code.co_filename != self._file:
            frame = frame.f_back
        return frame.f_lineno if frame else 0

    def _raised(self, error: BaseException) -> dict[str, Any]:
        lines = [one.lineno or 0 for one in traceback.extract_tb(error.__traceback__) if one.filename == self._file]
        at = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 0
        return {"raised": type(error).__name__, "text": str(error)[:500], "line": at or 0}


def plain(value: Any) -> Any:
    """A value that can be sent: numbers, text, bytes, and lists of them; anything else as its words."""
    if value is None or isinstance(value, (bool, float, str, bytes)):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 64 else repr(value)[:80]
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value[:4096]]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in list(value.items())[:4096]}
    return f"<{type(value).__name__}>"


def _exception(kind: str, text: str) -> Exception:
    known = {
        "ValueError": ValueError,
        "TypeError": TypeError,
        "IndexError": IndexError,
        "AttributeError": AttributeError,
    }
    if kind == "GuestMemoryError":
        error = GuestMemoryError(MemoryFault.UNMAPPED, 0, 0)
        error.what = text
        return error
    return known.get(kind, RuntimeError)(text)


def main() -> None:
    """Serve the judge on descriptor ``CHANNEL``."""
    Student(Channel(socket.socket(fileno=CHANNEL))).serve()


if __name__ == "__main__":
    main()
