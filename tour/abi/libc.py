"""The few libc calls Python 3.11's ``os`` lacks, through ctypes: namespaces, mounts, death signals.

Imports the standard library only and resolves symbols when first called, so that the agent's helper may
import it before anything heavy and a machine without these calls may import it at all.
Every function raises OSError with the call's errno.
"""

from __future__ import annotations

import ctypes
import functools
import os

# linux/sched.h (Linux 2.4.19 for NEWNS, 2.6.24 NEWNET and NEWPID, 3.8 NEWUSER)
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# linux/mount.h (Linux 2.6.15 for the propagation flags)
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

# linux/prctl.h (Linux 2.1.57, 2.3.15, 2.6.9 and 3.4)
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result == -1:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{what}: {os.strerror(errno)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by the ``CLONE_NEW*`` bits in ``flags`` for fresh ones (unshare(2)).

    CLONE_NEWUSER fails with EINVAL in a process that has a second thread.
    """
    _check(_libc().unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, flags: int) -> None:
    """Enter the namespace behind ``fd``, an open file of /proc/PID/ns (setns(2))."""
    _check(_libc().setns(ctypes.c_int(fd), ctypes.c_int(flags)), "setns")


def mount(source: str, target: str, fstype: str, flags: int = 0, data: str = "") -> None:
    """mount(2); empty strings become NULL."""
    args = [ctypes.c_char_p(os.fsencode(text) or None) for text in (source, target, fstype)]
    tail = ctypes.c_char_p(os.fsencode(data) or None)
    _check(_libc().mount(*args, ctypes.c_ulong(flags), tail), f"mount {fstype or 'bind'} on {target}")


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _check(_libc().umount2(ctypes.c_char_p(os.fsencode(target)), ctypes.c_int(flags)), f"umount {target}")


def _prctl(option: int, argument: int | bytes, what: str) -> None:
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    zero = ctypes.c_ulong(0)
    _check(_libc().prctl(ctypes.c_int(option), value, zero, zero, zero), what)


def prctl_pdeathsig(signum: int) -> None:
    """Have ``signum`` sent to this process when the *thread* that made it ends (PR_SET_PDEATHSIG).

    The parent may be gone already: look at getppid afterwards.
    """
    _prctl(PR_SET_PDEATHSIG, signum, "prctl PR_SET_PDEATHSIG")


def prctl_subreaper() -> None:
    """Make this process the parent of orphans below it (PR_SET_CHILD_SUBREAPER, Linux 3.4)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1, "prctl PR_SET_CHILD_SUBREAPER")


def prctl_name(name: str) -> None:
    """Name the calling thread, 15 bytes at most, as ps and /proc show it (PR_SET_NAME)."""
    _prctl(PR_SET_NAME, os.fsencode(name)[:15], "prctl PR_SET_NAME")
