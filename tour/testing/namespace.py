"""Network and mounts of one's own, entered before anything else: taps never touch the machine's network."""

from __future__ import annotations

import os
from pathlib import Path

from tour.abi import libc


def enter() -> None:
    """Leave for a fresh network and mount namespace (and, as an ordinary user, a user namespace), with IPv6 off.

    Call it first, from a process with one thread. Raises OSError where namespaces are forbidden.
    """
    uid, gid = os.getuid(), os.getgid()
    own = libc.CLONE_NEWNET | libc.CLONE_NEWNS
    libc.unshare(own if uid == 0 else own | libc.CLONE_NEWUSER)
    libc.mount("none", "/", "", libc.MS_REC | libc.MS_PRIVATE)
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    for scope in ("all", "default"):
        knob = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if knob.exists():
            knob.write_text("1")
