"""What /proc tells of a file descriptor that reading would change."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tour.abi.libc import LAYERS_ENV
from tour.trace.events import Found, Holders

HOLDERS_MOST = 8


def eventfd_count(fd: int) -> int:
    """An eventfd's counter without reading it: eventfd-count in /proc/self/fdinfo, a hexadecimal number."""
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
        for line in info:
            if line.startswith("eventfd-count:"):
                return int(line.split(":")[1], 16)
    return 0


def holders(path: str) -> Holders:
    """Who has the file ``path`` open, among the processes that are ours: all that /proc shows where the process ids
    are our own (a pid namespace, the lab), else this process alone. A process without any open file (a kernel
    thread), or whose files may not be seen, is passed over."""
    layers = os.environ.get(LAYERS_ENV, "").split(",")
    alone = not {"pid", "vm"} & set(layers)
    pids = [os.getpid()] if alone else [int(name) for name in os.listdir("/proc") if name.isdigit()]
    looked = [(pid, targets) for pid in pids if (targets := _targets(pid))]
    found = [Found(pid, _name(pid)) for pid, targets in looked if path in targets]
    return Holders(path, len(looked), sum(len(targets) for _, targets in looked), found[:HOLDERS_MOST])


def _targets(pid: int) -> list[str]:
    """What the descriptors of ``pid`` lead to, nothing where that may not be seen. One closed meanwhile (such as
    that of the listing itself) leads nowhere."""
    folder = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:
        return []
    found = []
    for number in numbers:
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"{folder}/{number}"))
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
