"""Between the judge and a student's code: a process that builds the cell around itself, then becomes the harness.

``full``: it is root of fresh mount, network and process-id namespaces (``agent.spawn`` made them); it makes a new root
of nothing but the Python that is needed, gives up every right, and executes the harness. ``container``: there are
no namespaces to be had; it only becomes another user. Standard library only.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tour.abi import libc

NEW_ROOT = "/tmp"  # noqa: S108 - a mount point that every system has; ours is mounted over it, in our namespace only
OLD, SCRATCH = "old", "scratch"
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
SMALL = "mode=1777,size=16m,nr_inodes=1000"
CHANNEL, OUTPUT = 3, 4
NOBODY = 65534
KEPT = {4: libc.MS_NODEV, 8: libc.MS_NOEXEC, 4096: 1 << 21, 1024: 1 << 10, 2048: 1 << 11}
"""statvfs's f_flag: what a mount has and a user namespace may not take away: nodev, noexec, relatime, noatime,
nodiratime; each with the flag of mount(2)."""
PR_SET_DUMPABLE = 4


def main() -> NoReturn:
    """Entry: the order as JSON in the last word of the command line."""
    order = json.loads(sys.argv[-1])
    place(order["channel"], order["output"])
    try:
        if order["isolation"] == "full":
            proc = os.open("/proc/self", os.O_PATH | os.O_CLOEXEC)
            enclose(order["shown"], order["hidden"], order["links"])
            become(order["uid"])
            apart(proc)
        else:
            become(order["uid"])
        libc.prctl_pdeathsig(signal.SIGKILL)
        limit(order["limits"])
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        os.execve(order["argv"][0], order["argv"], order["env"])
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    os._exit(125)


def place(channel: int, output: int) -> None:
    """The judge's channel on 3, output on 1 and 2, nothing to read on 0, nothing else open."""
    high = os.dup2(channel, 200), os.dup2(output, 201)
    os.dup2(high[0], CHANNEL)
    for fd in (1, 2):
        os.dup2(high[1], fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(CHANNEL + 1, 65536)


def enclose(shown: list[str], hidden: list[str], links: dict[str, str]) -> None:
    """A root in which only ``shown`` is seen, without what is ``hidden`` in it, read-only, with a small /scratch; the
    system's own is gone. Raises OSError."""
    libc.unshare(libc.CLONE_NEWIPC | libc.CLONE_NEWUTS)
    libc.sethostname("cell")
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (*shown, *DEVICES)}
    libc.mount("cell", NEW_ROOT, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=0755,size=1m")
    covered = []
    for path in sorted({*held, *hidden}):
        target = Path(NEW_ROOT + path)
        if path in held:
            bind(held[path], target, os.path.isdir(f"/proc/self/fd/{held[path]}"))
        elif target.is_dir():
            libc.mount("cell", str(target), "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=0755,size=1m")
            covered.append(path)
    for name, to in links.items():
        link = Path(NEW_ROOT + name)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(link):
            link.symlink_to(to)
    for fd in held.values():
        os.close(fd)
    move_in(covered)


def move_in(covered: list[str]) -> None:
    """Make the new root the root; what was mounted to cover or to hold it becomes read-only. Raises OSError."""
    for name in (OLD, SCRATCH):
        Path(NEW_ROOT, name).mkdir(exist_ok=True)
    os.chdir(NEW_ROOT)
    libc.pivot_root(".", OLD)
    os.chdir("/")
    libc.umount(f"/{OLD}")
    os.rmdir(f"/{OLD}")
    flags = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount("scratch", f"/{SCRATCH}", "tmpfs", flags | libc.MS_NOEXEC, SMALL)
    for path in (*covered, "/"):
        libc.mount("none", path, "", libc.MS_REMOUNT | libc.MS_BIND | libc.MS_RDONLY | flags)


def bind(fd: int, target: Path, folder: bool) -> None:
    """What ``fd`` names, read-only at ``target``. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    libc.mount(f"/proc/self/fd/{fd}", str(target), "", libc.MS_BIND)
    has = os.statvfs(target).f_flag
    kept = sum(flag for bit, flag in KEPT.items() if has & bit)
    libc.mount("none", str(target), "", libc.MS_REMOUNT | libc.MS_BIND | libc.MS_RDONLY | libc.MS_NOSUID | kept)


def become(uid: int) -> None:
    """Another user, without groups; 0 to stay who one is. Raises OSError."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def apart(proc: int) -> None:
    """A user namespace of its own, in which we are nobody and our threads are counted by themselves; ``proc`` is our
    folder under /proc, which is not there any more. Raises OSError."""
    ids = os.geteuid(), os.getegid()
    libc.prctl(PR_SET_DUMPABLE, 1)
    libc.unshare(libc.CLONE_NEWUSER)
    maps = {"setgroups": "deny", "uid_map": f"{NOBODY} {ids[0]} 1", "gid_map": f"{NOBODY} {ids[1]} 1"}
    for name, text in maps.items():
        fd = os.open(name, os.O_WRONLY, dir_fd=proc)
        os.write(fd, text.encode())
        os.close(fd)
    os.close(proc)


def limit(limits: dict[str, Any]) -> None:
    """Every limit, soft and hard, by its name in ``resource``; never above what there is."""
    for name, wanted in limits.items():
        which = getattr(resource, name)
        most = resource.getrlimit(which)[1]
        soft, hard = (value if most == resource.RLIM_INFINITY else min(value, most) for value in wanted)
        resource.setrlimit(which, (soft, hard))
