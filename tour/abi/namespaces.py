"""What forbids namespaces of our own on this system, and the command that lifts it. Standard library only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

# Each switch that forbids user namespaces, the value that does, and the command that lifts it.
SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    ("/proc/sys/user/max_net_namespaces", "0", "sudo sysctl -w user.max_net_namespaces=15000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def namespace_fix(switches: Sequence[tuple[str, str, str]] = SWITCHES) -> str:
    """The command that would allow namespaces, judged by the switches of this system."""
    for path, forbids, command in switches:
        with contextlib.suppress(OSError):
            if Path(path).read_text().strip() == forbids:
                return command
    if os.geteuid() == 0:
        return "in a container, start it with --cap-add SYS_ADMIN --cap-add NET_ADMIN (or --privileged)"
    return "run it as root (sudo), or in a container started with --security-opt seccomp=unconfined"
