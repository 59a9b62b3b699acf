"""A network namespace of one's own, entered before anything else: taps never touch the machine's network."""

from __future__ import annotations

import os
from pathlib import Path

from tour.abi import libc


def enter() -> None:
    """Leave for a fresh network namespace (and, as an ordinary user, a user namespace), with IPv6 off.

    Call it first, from a process with one thread. Raises OSError where namespaces are forbidden.
    """
    uid, gid = os.getuid(), os.getgid()
    libc.unshare(libc.CLONE_NEWNET if uid == 0 else libc.CLONE_NEWNET | libc.CLONE_NEWUSER)
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    for scope in ("all", "default"):
        knob = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if knob.exists():
            knob.write_text("1")
