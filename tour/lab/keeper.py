"""A process between us and QEMU whose only work is that QEMU never outlives us.

``keeper.py LIFELINE ARGV...``: LIFELINE is the read end of a pipe whose only write end the front end holds. When the
front end ends, in whatever way, the pipe ends and QEMU is killed; when the keeper is killed, the kernel kills QEMU
(PR_SET_PDEATHSIG, which follows the keeper's only thread); when QEMU ends, the keeper exits with its code.
Standard library only, and run by path: it must be up in a few milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run ARGV until it or the lifeline ends; returns its exit code, 128 + n after signal n."""
    lifeline = int(arguments[0])
    os.set_inheritable(lifeline, False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    child = _start(arguments[1:])
    _wait(child, lifeline)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _start(argv: list[str]) -> int:
    """Fork and exec ``argv`` so that our death kills it; returns its process id."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:  # else we died before the line above
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            print(f"{argv[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def _wait(child: int, lifeline: int) -> None:
    """Return when ``child`` has ended, or has been killed because the lifeline ended."""
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    if any(fd == lifeline for fd, _ in poll.poll()):
        signal.pidfd_send_signal(handle, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
