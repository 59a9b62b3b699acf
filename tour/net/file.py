"""A port that is one descriptor: what a tap, a macvtap and a packet socket have in common, system calls told."""

from __future__ import annotations

import errno
import fcntl
import os
import select
from typing import Self

from tour.net.frames import NET_HDR_LEN
from tour.net.observer import TapObserver
from tour.trace.events import Syscall
from tour.trace.recorder import Recorder, here

FRAME_MAX = NET_HDR_LEN + 65550


class FilePort:
    """``name`` is the link behind the descriptor, ``watched`` the one an observer looks at."""

    real = True
    why = ""

    def __init__(self, recorder: Recorder | None, name: str, watched: str = "") -> None:
        self.name = name
        self.watched = watched or name
        self._recorder = recorder
        self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, path: str, shown: str = "") -> int:
        """Open ``path`` for frames; OSError as open(2) has it."""
        args = [f'"{shown or path}"', "O_RDWR|O_NONBLOCK|O_CLOEXEC"]
        try:
            fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._say("open", args, -1, error)
            raise
        self._say("open", args, fd)
        return fd

    def _ioctl(self, request: int, name: str, argument: bytes | int, shown: str) -> None:
        args = [str(self._fd), name, shown]
        try:
            fcntl.ioctl(self._fd, request, argument)
        except OSError as error:
            self._say("ioctl", args, -1, error)
            raise
        self._say("ioctl", args, 0)

    def _say(self, name: str, args: list[str], result: int, error: OSError | None = None) -> None:
        if self._recorder:
            code = errno.errorcode.get(error.errno or 0, "?") if error else None
            self._recorder.emit(Syscall(name, args, result, code), actor="control", frame=here(3))

    def fileno(self) -> int:
        """The descriptor, for NET_SET_BACKEND and for reading and writing frames."""
        return self._fd

    def read(self) -> bytes | None:
        """The next frame for the guest, virtio_net_hdr first where there is one; None when there is none."""
        try:
            return os.read(self._fd, FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int:
        """Send a frame of the guest. Raises OSError: EIO while a tap's link is down."""
        return os.write(self._fd, data)

    def pending(self) -> bool:
        """Whether a frame for the guest waits."""
        return readable(self._fd)

    def observe(self) -> TapObserver:
        """An AF_PACKET socket on ``watched``, seeing frames from now on."""
        return TapObserver(self.watched)

    def close(self) -> None:
        """Close the descriptor; a tap goes with it. Safe to call again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def readable(fd: int) -> bool:
    """Whether a read from ``fd`` would find something now."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
