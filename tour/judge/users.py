"""A user nobody else is, for a student's code: found, asked what it may read, swept away."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path

RANGE = range(61_200, 65_000)
"""Above what Debian and systemd give to people and services, below nobody."""
SWEEP_SECONDS = 10.0


def free() -> int:
    """A number that no account and no running process has. Raises OSError when there is none."""
    taken = {uid for _, uid in processes()} | {entry.pw_uid for entry in pwd.getpwall()}
    start = os.getpid() % len(RANGE)
    for at in range(len(RANGE)):
        if (uid := RANGE[(start + at) % len(RANGE)]) not in taken:
            return uid
    raise OSError("no user number is free")


def processes() -> Iterator[tuple[int, int]]:
    """Every process and whose it is."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), entry.stat().st_uid


def sweep(uid: int) -> None:
    """End all processes of ``uid``, again and again until there are none. Raises OSError when some do not go."""
    until = time.monotonic() + SWEEP_SECONDS
    while left := [pid for pid, whose in processes() if whose == uid]:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            raise OSError(f"processes {left} of user {uid} do not end")
        time.sleep(0.01)


def may_read(uid: int, folder: Path) -> bool:
    """Whether that user can list ``folder``."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.listdir(folder)
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0
