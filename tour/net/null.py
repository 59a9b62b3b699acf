"""A port without a network: what is sent is discarded, nothing is received. To measure a ring alone."""

from __future__ import annotations

import os


class NullPort:
    """/dev/null, which the embedded device takes for a backend socket."""

    name = "null"

    def __init__(self) -> None:
        self._fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def fileno(self) -> int:
        """The descriptor."""
        return self._fd

    def close(self) -> None:
        """Close it. Safe to call again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
