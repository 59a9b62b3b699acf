"""The harness as a process of its own with nothing around it: for code that the tests themselves wrote."""

from __future__ import annotations

import socket
import subprocess
import sys
from types import TracebackType
from typing import Self

from tour.agent.spawn import environment
from tour.judge.talk import Jailed


class Unjailed(Jailed):
    """A ``Jailed`` without a jail; a context manager."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours = ours
        with theirs:
            code = f"import os; os.dup2({theirs.fileno()}, 3); from tour.judge.harness import main; main()"
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=(theirs.fileno(),), env=environment(None),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        super().__init__(ours, self.ended)

    def ended(self) -> str:
        """How it ended, once it has."""
        return f"exit {self.process.wait(10)}"

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stderr
        self.process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
