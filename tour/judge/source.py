"""A submission's one file, read safely: whatever lies there costs at most this submission its mark."""

from __future__ import annotations

import os
import stat
from pathlib import Path

SOURCE_MAX = 1 << 18


class Unreadable(Exception):
    """A submission's file that is not taken; the text says why."""


def read_source(folder: Path, name: str) -> str:
    """The text of ``name`` in ``folder``: a regular file of its own, at most ``SOURCE_MAX`` bytes of UTF-8.

    No symbolic link is followed, nothing is waited for. Raises Unreadable.
    """
    try:
        fd = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError as error:
        raise Unreadable(f"there is no {name}") from error
    except OSError as error:
        raise Unreadable(f"{name}: {os.strerror(error.errno or 0)}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Unreadable(f"{name} is no regular file")
        with open(fd, "rb", closefd=False) as file:
            data = file.read(SOURCE_MAX + 1)
    except OSError as error:
        raise Unreadable(f"{name}: {os.strerror(error.errno or 0)}") from error
    finally:
        os.close(fd)
    if len(data) > SOURCE_MAX:
        raise Unreadable(f"{name} is longer than {SOURCE_MAX} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8") from error
