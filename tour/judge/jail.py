"""Where a student's code runs, seen from the judge: opened, spoken to, ended, and why it ended.

``full``: namespaces, a root with nothing in it but the Python that is needed, another user, limits, a system call
filter. ``container``: where no namespaces are to be had and there is one submission per container: another user,
limits, the filter. Never anything weaker: what cannot be had is an error.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from tour.abi.namespaces import namespace_fix
from tour.agent.spawn import ROOT, AgentProcess, spawn
from tour.errors import CapabilityMissing
from tour.judge import users
from tour.judge.furniture import INSIDE, parts, python
from tour.judge.limits import Limits, resource_limits

Isolation = Literal["full", "container"]
BOOT = "import sys; sys.path.append(sys.argv[1]); from tour.judge.cell import main; main()"
READY_SECONDS = 30.0
ENDING_SECONDS = 2.0
TASKS = 32
LAYERS = {
    "full": ("user", "net", "mount", "pid", "ipc", "uts", "root", "uid", "rlimits", "no_new_privs", "seccomp"),
    "container": ("uid", "rlimits", "no_new_privs", "seccomp"),
}
KILLED = 128 + signal.SIGKILL


class _Process(Protocol):
    def kill(self) -> None: ...
    def code(self, seconds: float) -> int | None: ...


class Jail:
    """A running harness. ``stream`` carries whole messages to and from it; ``layers`` is what is around it."""

    def __init__(self, process: _Process, stream: socket.socket, output: Output, isolation: Isolation) -> None:
        self.stream = stream
        self.layers = LAYERS[isolation]
        self._process, self._output = process, output
        self._killed = self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.kill()

    def output(self) -> str:
        """The first of what it wrote to its standard output and error."""
        return self._output.text()

    def ended(self) -> str:
        """How it ended: ``timed out`` (we ended it), ``cpu``, ``signal SIGSEGV``, ``exit 7``; ``left`` where it lives
        but speaks to us no more. Waits a moment for its end."""
        code = self._process.code(ENDING_SECONDS)
        if code is None:
            return "left"
        if self._killed:
            return "timed out"
        if code in (128 + signal.SIGXCPU, KILLED):
            return "cpu"
        return f"signal {signal.Signals(code - 128).name}" if 128 < code < 192 else f"exit {code}"

    def kill(self) -> None:
        """End everything in it and wait until it is gone. Safe to call again."""
        if self._over:
            return
        self._over, self._killed = True, self._process.code(0) is None
        self._process.kill()
        self.stream.close()
        self._output.close()


class Output:
    """Drains a pipe in a thread; keeps the first ``most`` bytes."""

    def __init__(self, fd: int, most: int) -> None:
        self._fd, self._most, self._kept = fd, most, b""
        self._thread = threading.Thread(target=self._run, name="judge-output", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while data := os.read(self._fd, 65536):
            self._kept += data[: max(0, self._most - len(self._kept))]
        os.close(self._fd)

    def text(self) -> str:
        """What was kept."""
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Wait until nobody can write any more."""
        self._thread.join(5.0)


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    return 128 - code if code < 0 else code


class Enclosed:
    """A process in namespaces of its own."""

    def __init__(self, process: AgentProcess) -> None:
        self._process = process

    def code(self, seconds: float) -> int | None:
        """Exit code, 128 + n for signal n; None if it still runs after so long."""
        return _code(self._process.helper, seconds)

    def kill(self) -> None:
        """End it and all below."""
        self._process.close()


class Outsider:
    """A process of another user."""

    def __init__(self, process: subprocess.Popen[bytes], uid: int) -> None:
        self._process, self._uid = process, uid

    def code(self, seconds: float) -> int | None:
        """Exit code, 128 + n for signal n; None if it still runs after so long."""
        return _code(self._process, seconds)

    def kill(self) -> None:
        """End it and whatever else that user has running."""
        self._process.kill()
        self._process.wait()
        users.sweep(self._uid)


def open_jail(isolation: Isolation, limits: Limits, hidden: Sequence[Path] = ()) -> Jail:
    """A harness in its jail, ready to be spoken to. ``hidden`` folders are not to be seen in it.

    Raises CapabilityMissing("namespaces") or ("isolation") with what would mend it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reads, writes = os.pipe2(os.O_CLOEXEC)
    output = Output(reads, limits.output)
    try:
        if isolation == "full":
            process: _Process = _enclosed(limits, hidden, theirs.fileno(), writes)
        else:
            process = _outsider(limits, hidden, theirs.fileno(), writes)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(writes)
    jail = Jail(process, ours, output, isolation)
    _expect_ready(jail, isolation)
    return jail


def _expect_ready(jail: Jail, isolation: Isolation) -> None:
    jail.stream.settimeout(READY_SECONDS)
    try:
        said = jail.stream.recv(64)
    except OSError:
        said = b""
    if said != b"ready":
        jail.kill()
        why = jail.output().strip() or "It said nothing."
        if isolation == "full":
            raise CapabilityMissing("namespaces", "A student's code could not be locked in.", why, namespace_fix())
        fix = f"install vhost-tour where every user may read it (now: {ROOT})"
        raise CapabilityMissing("isolation", "A student's code could not be run as another user.", why, fix)


def _enclosed(limits: Limits, hidden: Sequence[Path], channel: int, output: int) -> Enclosed:
    uid = users.free() if os.geteuid() == 0 else 0
    order = _order("full", limits, hidden, channel, output, uid)
    argv = [sys.executable, "-I", "-S", "-B", "-c", BOOT, str(ROOT), order]
    return Enclosed(spawn(argv, env={}, pass_fds=(channel, output)))


def _outsider(limits: Limits, hidden: Sequence[Path], channel: int, output: int) -> Outsider:
    if os.geteuid() != 0:
        what = "A student's code must run as another user, and only root can become one."
        raise CapabilityMissing("isolation", what, "", "run it as root in the container, or use --isolation full")
    uid = users.free()
    for folder in hidden:
        if users.may_read(uid, folder):
            what = "The solutions and graders could be read by a student's code."
            fix = f"close it to others: chmod 700 {folder}"
            raise CapabilityMissing("isolation", what, f"{folder} is open to every user.", fix)
    order = _order("container", limits, hidden, channel, output, uid)
    argv = [sys.executable, "-I", "-S", "-B", "-c", BOOT, str(ROOT), order]
    process = subprocess.Popen(
        argv, pass_fds=(channel, output), env={}, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/"
    )
    return Outsider(process, uid)


def _order(isolation: Isolation, limits: Limits, hidden: Sequence[Path], channel: int, output: int, uid: int) -> str:
    made = parts()
    words = {
        "isolation": isolation, "channel": channel, "output": output, "uid": uid, "links": made.links,
        "shown": made.shown, "hidden": [*made.hidden, *(str(folder.resolve()) for folder in hidden)],
        "limits": resource_limits(limits, TASKS),
        "argv": [python(), "-I", "-S", "-B", "-u", "-c", f"{INSIDE}main()", *made.path],
        "env": {"LANG": "C.UTF-8", "HOME": "/scratch", "TMPDIR": "/scratch", "LD_LIBRARY_PATH": made.libraries},
    }  # fmt: skip
    return json.dumps(words)
