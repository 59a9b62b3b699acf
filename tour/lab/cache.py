"""Files that are dear to make and cheap to keep, below the user's cache folder, named by what they were made of."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from tour.errors import UsageError

KEPT = 6


def folder() -> Path:
    """Where the lab keeps its files (XDG Base Directory Specification 0.8)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "vhost-tour" / "lab"


def keep(name: str, make: Callable[[], bytes]) -> Path:
    """The cached file ``name``, made by ``make`` the first time. Appears whole or not at all.

    Raises UsageError if the folder cannot be written.
    """
    path = folder() / name
    if has(name):
        with contextlib.suppress(OSError):
            os.utime(path)  # the oldest are dropped first
        return path
    data = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data)
        _prune(path)
    except OSError as error:
        raise UsageError(
            f"The lab cannot keep its boot files in {path.parent}: {error.strerror}.",
            fix="make room or rights there, or set XDG_CACHE_HOME to another folder",
        ) from error
    return path


def has(name: str) -> bool:
    """Whether ``name`` has been made before."""
    return os.path.isfile(folder() / name)


def _write(path: Path, data: bytes) -> None:
    """Write a file without a name and give it one when it is whole: a kill in between leaves nothing."""
    try:
        fd = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
            raise
        _write_beside(path, data)
        return
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(FileExistsError):
            # src_dir_fd, without meaning for an absolute path, makes Python call linkat, which can follow the link
            os.link(f"/proc/self/fd/{fd}", path, src_dir_fd=fd, follow_symlinks=True)


def _write_beside(path: Path, data: bytes) -> None:
    """The same for a file system without O_TMPFILE: a second name, then a rename."""
    other = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        other.write_bytes(data)
        other.replace(path)
    finally:
        other.unlink(missing_ok=True)


def _prune(newest: Path) -> None:
    """Drop all files of the kind of ``newest`` (what its name says before the '-') but the ones used last."""
    kind = newest.name.partition("-")[0]
    files = sorted(newest.parent.glob(f"{kind}-*"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[KEPT:]:
        file.unlink(missing_ok=True)
