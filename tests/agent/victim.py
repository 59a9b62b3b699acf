"""An agent that clings to life: it makes a tap, leaves a daemon behind, ignores every polite signal and end of file.

Standard library only, so that any Python of the machine can run it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import time

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x1002


def make_tap() -> str:
    """A tap that stays open, if the network is our own; 'tap', or why not."""
    if "net" not in os.environ["VHOST_TOUR_LAYERS"].split(","):
        return "no network of our own"
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP_NO_PI))
    except OSError as error:
        return f"no tap: {error}"
    return "tap"


def leave_daemon() -> None:
    """A grandchild in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            cling()
        os._exit(0)
    os.wait()


def cling() -> None:
    """Never end by oneself."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1000)


def main() -> None:
    """See the module's text."""
    words = make_tap()
    leave_daemon()
    os.write(1, f"{words} uid {os.getuid()} pid {os.getpid()}\n".encode())
    cling()


if __name__ == "__main__":
    main()
