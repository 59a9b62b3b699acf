"""How a front end starts a process whose death, or its own, leaves nothing behind.

``spawn`` starts the helper of ``tour.agent.init``, which leaves the system's namespaces and runs ``argv`` below
a pid-namespace init. What comes back is a byte stream to the program (its descriptors 0 and 1) and a handle:

    front end --- helper --- init (process 1) --- argv (the agent, QEMU) --- whatever that starts

Kill any of them with SIGKILL and the ones to the right die too; a front end that lives sees an end of file on the
stream and gets the reason from ``wait``. Standard library only: it runs before anything heavy is imported.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from tour.abi.namespaces import namespace_fix
from tour.agent.init import Order
from tour.errors import AgentLost, CapabilityMissing, TimedOut

ROOT = Path(__file__).resolve().parent.parent.parent
BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from tour.agent.init import main; main()"
START_TIMEOUT = 30.0
TAIL = 16384

Isolate = Literal["full", "pid", "none"]


class AgentProcess:
    """A running program and everything below it. Made by ``spawn``.

    ``stream`` is a byte stream to the program's descriptors 0 and 1; ``pid`` the helper's process id, ``init_pid``
    the init's (both as the caller sees them); ``layers`` what is around the program: of user, net, mount, pid,
    proc, noipv6; ``refused`` what was not allowed, as ``act:ERRNO``.
    """

    def __init__(self, helper: subprocess.Popen[bytes], stream: socket.socket, control: socket.socket) -> None:
        self.helper = helper
        self.stream = stream
        self.layers: tuple[str, ...] = ()
        self.refused: tuple[str, ...] = ()
        self.pid = helper.pid
        self.init_pid = 0
        self._control = control
        self._init_fd = -1
        self._reports: list[list[str]] = []
        self._tail = Tail(helper.stderr) if helper.stderr else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def running(self) -> bool:
        """Whether the helper is still there."""
        return self.helper.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the program and everything below it is gone; returns the exit code, 128 + n for signal n.

        Raises TimedOut after ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            code = self.helper.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TimedOut("The agent's processes did not end in time.") from error
        self._wait_init(deadline)
        self._drain()
        return 128 - code if code < 0 else code

    def kill(self) -> None:
        """End the program and everything below it, now, and wait until it is gone. Safe to call again."""
        with contextlib.suppress(OSError):
            if self._init_fd >= 0:
                # without a pid namespace the init must live to sweep behind the program
                number = signal.SIGKILL if "pid" in self.layers else signal.SIGTERM
                signal.pidfd_send_signal(self._init_fd, number)
        try:
            self.helper.wait(2.0)
        except subprocess.TimeoutExpired:
            self._force()
        self.wait(10.0)

    def _force(self) -> None:
        """Somebody is stopped or stuck: spare nobody."""
        self.helper.kill()
        if self._init_fd >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._init_fd, signal.SIGKILL)

    def close(self) -> None:
        """``kill``, then close the stream and every descriptor of ours."""
        self.kill()
        self.stream.close()
        self._control.close()
        if self._init_fd >= 0:
            os.close(self._init_fd)
            self._init_fd = -1
        if self._tail:
            self._tail.close()

    def stderr_tail(self) -> str:
        """The last lines the program wrote to its standard error; empty when the caller took that itself."""
        return self._tail.text() if self._tail else ""

    def reason(self) -> str:
        """Why it ended, in one sentence; call after ``wait``."""
        for word, *rest in self._reports:
            if word == "ended":
                return _ended(*rest)
        code = self.helper.returncode
        if code is None:
            return "It is still running."
        return _ended("helper", "signal" if code < 0 else "code", str(abs(code)))

    def lost(self) -> AgentLost:
        """The error to raise or show when the stream ended unasked."""
        return AgentLost("The agent ended.", self.reason() + _quote(self.stderr_tail()))

    def _expect_ready(self, deadline: float) -> None:
        """Read the start-up reports; raises CapabilityMissing, AgentLost or TimedOut."""
        ready = False
        while not (ready and self.init_pid):
            word, *rest = self._report(deadline)
            if word == "init":
                self.init_pid = int(rest[0])
            elif word == "ready":
                ready = True
                self.layers, self.refused = (tuple(filter(None, text.split(","))) for text in rest)
            elif word == "refused":
                raise refusal(rest[0], rest[1])
            elif word != "ended" or not ready:  # a short program may end before the helper has spoken
                raise self.lost()

    def _report(self, deadline: float) -> list[str]:
        self._control.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            message, fds, _, _ = socket.recv_fds(self._control, 4096, 1)
        except TimeoutError as error:
            raise TimedOut("The agent did not start in time.") from error
        if fds:
            self._init_fd = fds[0]
        if not message:
            self.helper.wait(10.0)
            raise self.lost()
        words = message.decode().split("\t")
        self._reports.append(words)
        return words

    def _drain(self) -> None:
        """Collect what the processes still said while they ended."""
        self._control.setblocking(False)
        with contextlib.suppress(OSError):
            while message := self._control.recv(4096):
                self._reports.append(message.decode().split("\t"))

    def _wait_init(self, deadline: float | None) -> None:
        """A pid namespace's init is a zombie only when all in the namespace are gone."""
        if self._init_fd < 0:
            return
        poll = select.poll()
        poll.register(self._init_fd, select.POLLIN)
        rest = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(rest):
            raise TimedOut("The agent's processes did not end in time.")


class Tail:
    """Keeps the last ``TAIL`` bytes of a pipe in a thread, so that the writer never blocks nor fills a disk."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._kept = b""
        self._thread = threading.Thread(target=self._run, name="agent-stderr", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        fd = self._pipe.fileno()
        while data := os.read(fd, 65536):
            self._kept = (self._kept + data)[-TAIL:]

    def text(self) -> str:
        """What was kept; waits a moment for the end of a program that is gone."""
        self._thread.join(0.2)
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Close the pipe once its writers are gone."""
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._pipe.close()


def spawn(
    argv: Sequence[str],
    *,
    stderr: int | IO[bytes] | None = None,
    isolate: Isolate = "full",
    degrade: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    pass_fds: Sequence[int] = (),
) -> AgentProcess:
    """Start ``argv`` with a socket on its descriptors 0 and 1, and nothing left when any part dies.

    ``isolate``: ``full`` for its own net, mount and pid namespaces (an ordinary user: a user namespace too, as its
    root); ``pid`` for the death guarantees only, network and user unchanged; ``none`` for neither. ``degrade``
    takes what namespaces there are; otherwise a refused one raises CapabilityMissing("namespaces").
    ``stderr`` None keeps the last bytes for ``stderr_tail``. ``pass_fds`` are inherited under their numbers.
    Call it from the main thread, or from one that outlives the program: otherwise the end of this process is
    noticed by end of file alone. Raises AgentLost when the program cannot be executed or ends at once.
    """
    streams = socket.socketpair()
    controls = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    main = threading.current_thread() is threading.main_thread()
    parent = os.getpid() if main else 0
    order = Order(controls[1].fileno(), parent, isolate, degrade, tuple(pass_fds), list(argv))
    try:
        helper = _start_helper(order, streams[1].fileno(), stderr, environment(env), cwd)
    except OSError as error:
        streams[0].close()
        controls[0].close()
        raise AgentLost("The agent could not be started.", str(error)) from error
    finally:
        streams[1].close()
        controls[1].close()
    process = AgentProcess(helper, streams[0], controls[0])
    try:
        process._expect_ready(time.monotonic() + START_TIMEOUT)
    except BaseException:
        process.close()
        raise
    return process


def _start_helper(
    order: Order, stream: int, stderr: int | IO[bytes] | None, env: dict[str, str], cwd: str | None
) -> subprocess.Popen[bytes]:
    """The helper, in a session of its own: the terminal's signals are not for it. Raises OSError."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", BOOT, str(ROOT), *order.words()],
        stdin=stream,
        stdout=stream,
        stderr=subprocess.PIPE if stderr is None else stderr,
        pass_fds=(*order.keep, order.control),
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """``env`` (this process's own if None) in which a Python finds the same ``tour`` package as we do."""
    found = dict(os.environ if env is None else env)
    if ROOT.name not in ("site-packages", "dist-packages"):
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), found.get("PYTHONPATH", "")]))
    return found


def refusal(step: str, error: str) -> Exception:
    """The error for a report ``refused STEP ERRNO``."""
    if step == "exec":
        return AgentLost("The agent's program could not be executed.", f"execve says {error}.")
    return CapabilityMissing(
        "namespaces", "This system did not allow namespaces of our own.", f"{step} says {error}.", namespace_fix()
    )


def _ended(who: str, how: str, number: str) -> str:
    if how == "code":
        return f"The {who} exited with code {number}."
    return f"The {who} was ended by signal {number} ({signal.Signals(int(number)).name})."


def _quote(tail: str) -> str:
    lines = tail.strip().splitlines()[-8:]
    return "\nIts last words:\n" + "\n".join(lines) if lines else ""
