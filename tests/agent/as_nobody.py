"""Run a command as an ordinary user: uid 65534, with a /dev/net/tun that anybody may open, as distributions have it,
and a /dev/kvm as the group kvm has it.

Everything happens in a mount namespace of its own; the machine's /dev is untouched. Where this Python or this tree lie
in somebody's closed home, that home is covered by an open folder with nothing but them in it.
With ``--forbid`` first: in a user namespace that allows no further ones, as a locked-down system does.
With ``--weak-root`` first: still root, but without CAP_SYS_ADMIN, as in a container.
Usage (as root): as_nobody.py [--forbid | --weak-root] COMMAND...
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

from tour.abi import libc

NOBODY = 65534
PR_SET_DUMPABLE, PR_CAPBSET_DROP = 4, 24  # linux/prctl.h
CAP_SYS_ADMIN = 21  # linux/capability.h


DEVICES = {"/dev/net/tun": (10, 200), "/dev/kvm": (10, 232)}
"""Major and minor number (Documentation/admin-guide/devices.txt of Linux)."""


def own(path: str) -> None:
    """Bind a device node of mode 0666 over ``path``, in the mount namespace of our own."""
    folder = tempfile.mkdtemp()
    libc.mount("tmpfs", folder, "tmpfs")
    node = os.path.join(folder, "node")
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(*DEVICES[path]))
    os.chmod(node, 0o666)
    libc.mount(node, path, "", libc.MS_BIND)
    libc.umount(folder)
    os.rmdir(folder)


def open_way(needed: list[Path]) -> None:
    """Let anybody reach the folders ``needed``, as if no folder above them were closed."""
    closed = {path: above for path in needed if (above := closed_above(path))}
    if not closed:
        return
    aside = Path(tempfile.mkdtemp())
    libc.mount("tmpfs", str(aside), "tmpfs")
    for number, path in enumerate(closed):
        (aside / str(number)).mkdir()
        libc.mount(str(path), str(aside / str(number)), "", libc.MS_BIND | libc.MS_REC)
    for above in set(closed.values()):
        libc.mount("tmpfs", str(above), "tmpfs")
        above.chmod(0o755)
    for number, path in enumerate(closed):
        path.mkdir(parents=True, exist_ok=True)
        libc.mount(str(aside / str(number)), str(path), "", libc.MS_BIND | libc.MS_REC)
    libc.umount(str(aside))
    aside.rmdir()


def closed_above(path: Path) -> Path | None:
    """The topmost folder above ``path`` that others may not pass."""
    return next((above for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH), None)


def become_nobody() -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def forbid_namespaces() -> None:
    """A user namespace in which we are no root and max_user_namespaces is 0."""
    uid, gid = os.getuid(), os.getgid()
    libc.unshare(libc.CLONE_NEWUSER)
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"1000 {uid} 1"),
        ("/proc/self/gid_map", f"1000 {gid} 1"),
        ("/proc/sys/user/max_user_namespaces", "0"),
    ):
        with open(path, "w") as file:
            file.write(text)


def main() -> None:
    """See the module's text."""
    argv = sys.argv[1:]
    if argv[0] == "--weak-root":
        libc.prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)
        os.execvp(argv[1], argv[1:])
    if os.getuid() == 0:
        libc.unshare(libc.CLONE_NEWNS)
        libc.mount("none", "/", "", libc.MS_REC | libc.MS_PRIVATE)
        open_way([Path(each).resolve() for each in (sys.base_prefix, sys.prefix, Path(__file__).parents[2])])
        for path in filter(os.path.exists, DEVICES):
            own(path)
        become_nobody()
        # setuid made us undumpable, and such a process may not write its own /proc files
        libc.prctl(PR_SET_DUMPABLE, 1)
    if argv[0] == "--forbid":
        argv.pop(0)
        forbid_namespaces()
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
