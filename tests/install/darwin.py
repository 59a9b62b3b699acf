"""Run ``tour`` as if this were macOS: ``darwin.py WORDS...``. Exit code 99 if what needs Linux was imported."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import sysconfig

LINUX_ONLY = ("scene", "device", "net", "virtqueue", "memory", "lab", "abi._native", "agent.spawn", "agent.stage")
ABSENT = {
    os: ("memfd_create", "eventfd", "eventfd_read", "eventfd_write", "pidfd_open", "pipe2", "unshare", "setns"),
    select: ("epoll",),
    signal: ("pidfd_send_signal",),
    socket: ("AF_PACKET", "AF_NETLINK", "AF_VSOCK"),
}


def main() -> None:
    """See the module's text."""
    sysconfig.get_config_vars()  # reads a file that is named after the platform Python was built for
    sys.platform = "darwin"
    for module, names in ABSENT.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.modules["pyroute2"] = None  # type: ignore[assignment]
    from tour.cli.main import main as tour

    try:
        tour()
    finally:
        found = [name for name in LINUX_ONLY if f"tour.{name}" in sys.modules]
        if found:
            print("imported on darwin:", *found, file=sys.stderr)
            os._exit(99)


if __name__ == "__main__":
    main()
