"""System calls that Python lacks (or has only from 3.12), through ctypes: light to import, no compiler.

Every function raises OSError with the errno and the name of what was refused.
"""

from __future__ import annotations

import ctypes
import os
import signal
from functools import cache

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SLAVE = 4096, 8192, 16384, 1 << 18, 1 << 19
MNT_DETACH = 2

PROT_READ_WRITE = 3
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS = 1, 2, 0x10, 0x20
"""asm-generic/mman-common.h, linux/mman.h."""

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

LAYERS_ENV = "VHOST_TOUR_LAYERS"
"""Environment variable that tells a process which namespaces it was given: user, net, mount, pid, or vm."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """unshare(2): leave the namespaces named by CLONE_NEW* ``flags``. EINVAL for CLONE_NEWUSER with a second
    thread. (os.unshare exists from Python 3.12 only.)"""
    _checked(f"unshare({flags:#x})", _libc().unshare(ctypes.c_int(flags)))


def setns(fd: int, nstype: int = 0) -> None:
    """setns(2): enter the namespace behind ``fd``; ``nstype`` is a CLONE_NEW* or 0 for any."""
    _checked("setns", _libc().setns(ctypes.c_int(fd), ctypes.c_int(nstype)))


def mount(source: str, target: str, fstype: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2). Empty ``fstype`` and ``data`` are passed as NULL."""
    arguments = (source.encode(), target.encode(), fstype.encode() or None, ctypes.c_ulong(flags))
    _checked(f"mount({source}, {target})", _libc().mount(*arguments, data.encode() or None))


def umount(target: str, flags: int = MNT_DETACH) -> None:
    """umount2(2); lazily unless told otherwise."""
    _checked(f"umount({target})", _libc().umount2(target.encode(), ctypes.c_int(flags)))


def map_over(hva: int, size: int, fd: int = -1, offset: int = 0) -> None:
    """mmap(2) with MAP_FIXED: other pages where some lie mapped, readable and writable. Those of ``fd`` from ``offset``
    on, shared; without it fresh private ones. What was there is gone from this address space, so the caller must own
    the whole range."""
    flags = MAP_FIXED | (MAP_SHARED if fd >= 0 else MAP_PRIVATE | MAP_ANONYMOUS)
    wanted = (ctypes.c_void_p(hva), ctypes.c_size_t(size), PROT_READ_WRITE, flags, fd, ctypes.c_long(offset))
    libc = _libc()
    libc.mmap.restype = ctypes.c_ssize_t
    _checked(f"mmap({hva:#x})", libc.mmap(*wanted))


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2): ``new_root`` must be a mount point and ``put_old`` lie below it."""
    number = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "s390x": 217}.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"pivot_root: number unknown on {os.uname().machine}")
    call = (ctypes.c_long(number), new_root.encode(), put_old.encode())
    _checked(f"pivot_root({new_root})", _libc().syscall(*call))


def sethostname(name: str) -> None:
    """sethostname(2) in the current UTS namespace."""
    raw = name.encode()
    _checked("sethostname", _libc().sethostname(raw, ctypes.c_size_t(len(raw))))


def prctl(option: int, argument: int | bytes = 0) -> int:
    """prctl(2) with one argument: a number or a NUL-terminated name."""
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    zero = ctypes.c_ulong(0)
    return _checked(f"prctl({option})", _libc().prctl(ctypes.c_int(option), value, zero, zero, zero))


def prctl_pdeathsig(number: int = signal.SIGKILL) -> None:
    """Have signal ``number`` sent to this process when the *thread* that spawned it ends.

    The parent may be gone already: compare os.getppid() afterwards.
    """
    prctl(PR_SET_PDEATHSIG, number)


def set_thread_name(name: str) -> None:
    """The calling thread's name as /proc/PID/task/TID/comm shows it; cut to 15 bytes."""
    prctl(PR_SET_NAME, name.encode()[:15])


SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17
"""linux/sockios.h, linux/ethtool.h."""


class _EthtoolValue(ctypes.Structure):
    """struct ethtool_value (linux/ethtool.h)."""

    _fields_ = (("cmd", ctypes.c_uint32), ("data", ctypes.c_uint32))


class _IfreqData(ctypes.Structure):
    """struct ifreq with ifr_data (linux/if.h)."""

    _fields_ = (("name", ctypes.c_char * 16), ("data", ctypes.c_void_p), ("_rest", ctypes.c_char * 16))


def ethtool_set(sock: int, name: str, command: int, value: int) -> None:
    """An ETHTOOL_S* command with one number for link ``name``, through any socket of its network namespace."""
    wanted = _EthtoolValue(command, value)
    request = _IfreqData(name.encode(), ctypes.addressof(wanted))
    _checked(f"ethtool({name})", _libc().ioctl(sock, ctypes.c_ulong(SIOCETHTOOL), ctypes.byref(request)))
