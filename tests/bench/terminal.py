"""A program on a pseudo-terminal that answers like a modern one, with times taken from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable

ESCAPES = re.compile(rb"\x1b\[[0-9;?<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Za-z0-9]|\x1b[=>]")
FRAME_END = b"\x1b[?2026l"
_QUESTIONS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;2R"}


class Terminal:
    """Runs ``command`` at ``width`` x ``height``; ``seen`` is all it wrote. Synchronised output is offered, so each
    painted frame has an end that can be told. ``tty`` makes it the command's /dev/tty too."""

    def __init__(
        self, command: list[str], width: int, height: int, env: dict[str, str] | None = None, *, tty: bool = False
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **(env or {})}
        for size in ("COLUMNS", "LINES"):  # programs would believe these before the terminal
            environ.pop(size, None)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if tty else None,
        )  # fmt: skip
        os.close(slave)
        self.seen = b""

    def until(self, condition: Callable[[bytes], bool], start: int = 0, patience: float = 30.0) -> float:
        """Read until ``condition`` holds of what was written from byte ``start`` on; returns when (perf_counter)."""
        limit = time.perf_counter() + patience
        while not condition(self.seen[start:]):
            if not select.select([self.master], [], [], max(0.0, limit - time.perf_counter()))[0]:
                raise TimeoutError(plain(self.seen)[-600:])
            self._read()
        return time.perf_counter()

    def _read(self) -> None:
        try:
            new = os.read(self.master, 1 << 16)
        except OSError as error:
            raise EOFError(plain(self.seen)[-600:]) from error
        self.seen += new
        for question, answer in _QUESTIONS.items():
            if question in new:
                os.write(self.master, answer)

    def quiet(self, seconds: float) -> None:
        """Read until nothing has come for ``seconds``."""
        while select.select([self.master], [], [], seconds)[0]:
            self._read()

    def press(self, key: bytes) -> float:
        """Send a key; returns the seconds until the frame that follows is complete."""
        start, began = len(self.seen), time.perf_counter()
        os.write(self.master, key)
        return self.until(lambda new: FRAME_END in new, start) - began

    def leave(self, key: bytes) -> int:
        """Send a key that ends the program, read all it still says; returns its exit code."""
        os.write(self.master, key)
        try:
            self.until(lambda _: False, patience=20)
        except (EOFError, TimeoutError):
            return self.process.wait(1)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the program, if it still runs."""
        try:
            os.write(self.master, b"\x1b")
            os.write(self.master, b"\x11")
            self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def plain(output: bytes) -> str:
    """What was written without escape sequences."""
    return ESCAPES.sub(b"", output).decode("utf-8", "replace")
