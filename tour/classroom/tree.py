"""Submissions as they lie in a folder or an archive: names looked at and single files read, nothing ever unpacked.

Whatever a student may have put there is met here: symbolic links are not followed, what is no regular file is not
opened for good, an archive's names cannot lead out of it, and nothing is read beyond a bound told beforehand.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from tour.errors import UsageError

SOURCE_MAX = 1 << 18
"""Bytes of a submission's file that are taken."""
LISTED_MAX = 20_000
"""Entries of one folder, or of one archive, that are looked at."""
INNER_MAX = 8 << 20
"""Bytes of an archive inside a folder or an archive."""
DIRECTORY_MAX = 8 << 20
"""Bytes of an archive's list of names."""
_END = struct.Struct("<4s4H2LH")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)

Parts = tuple[str, ...]


class NotTaken(UsageError):
    """A file, a folder or an archive that is not taken."""


class NotThere(UsageError):
    """There is nothing to be taken."""


class Tree(Protocol):
    """Names below a root, and what they hold. ``stray`` counts names that were left out because they lead outside."""

    name: str
    stray: int

    def children(self, at: Parts) -> dict[str, bool]:
        """What lies directly in a folder, at most ``LISTED_MAX`` of it, and whether each is a folder in turn. Raises
        NotTaken."""

    def read(self, at: Parts, limit: int) -> bytes:
        """The bytes of a file. Raises NotTaken for what is no regular file or has more than ``limit`` bytes."""


class Folder:
    """A folder of the machine's."""

    stray = 0

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.resolve().name

    def children(self, at: Parts) -> dict[str, bool]:
        """See ``Tree``. Raises NotTaken."""
        fd = self._open(at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(fd) as entries:
                return {one.name: one.is_dir(follow_symlinks=False) for one in islice(entries, LISTED_MAX)}
        finally:
            os.close(fd)

    def read(self, at: Parts, limit: int) -> bytes:
        """See ``Tree``. It is opened without waiting, whatever it is."""
        with open(self._open(at, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NotTaken(f"{at[-1]} is no regular file.")
            return _bounded(file, at[-1], limit)

    def _open(self, at: Parts, flags: int) -> int:
        """Step by step, so that no part of the way is a symbolic link."""
        on_the_way = os.O_PATH | os.O_DIRECTORY
        fd = os.open(self.path, (on_the_way if at else flags) | os.O_CLOEXEC)
        for depth, name in enumerate(at, 1):
            wanted = flags if depth == len(at) else on_the_way
            try:
                deeper = os.open(name, wanted | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            except OSError as error:
                if _linked(name, fd):
                    raise NotTaken(f"{name} is a symbolic link.") from error
                raise NotTaken(f"{name} cannot be opened.", f"{error.strerror}.") from error
            finally:
                os.close(fd)
            fd = deeper
        return fd


def _linked(name: str, folder: int) -> bool:
    """The system says 'not a directory' of a link to one."""
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _bounded(file: BinaryIO, name: str, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise NotTaken(f"{name} has more than {limit} bytes.")
    return data


class Archive:
    """A zip file. Its list of names is read once; links, doubles and names that lead outside are never opened."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.stray = 0
        self._folders: dict[Parts, dict[str, bool]] = {(): {}}
        self._files: dict[Parts, zipfile.ZipInfo] = {}
        self._twice: set[Parts] = set()
        _check_end(file, name)
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise NotTaken(f"{name} is no zip file that can be read.", str(error)) from error
        for info in self._zip.infolist():
            self._enter(info)

    def children(self, at: Parts) -> dict[str, bool]:
        """See ``Tree``."""
        return self._folders.get(at, {})

    def read(self, at: Parts, limit: int) -> bytes:
        """See ``Tree``; only what is stored or deflated, so that no more memory is needed than its bytes take."""
        if at in self._twice:
            raise NotTaken(f"{at[-1]} is in the archive twice.")
        info = self._files.get(at)
        if info is None:
            raise NotThere(f"There is no {at[-1]}.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise NotTaken(f"{at[-1]} is a symbolic link.")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotTaken(f"{at[-1]} is encrypted, or packed in a way that is not taken.")
        try:
            with self._zip.open(info) as file:
                return _bounded(file, at[-1], limit)  # type: ignore[arg-type]
        except _BROKEN as error:
            if isinstance(error, NotTaken):
                raise
            raise NotTaken(f"{at[-1]} is damaged in the archive.", str(error)) from error

    def _enter(self, info: zipfile.ZipInfo) -> None:
        name = info.filename.replace("\\", "/")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if name.startswith("/") or ".." in parts or ":" in name.split("/")[0] or not parts:
            self.stray += 1
            return
        folder = name.endswith("/")
        for depth in range(1, len(parts)):
            self._folders.setdefault(parts[: depth - 1], {})[parts[depth - 1]] = True
        self._folders.setdefault(parts[:-1], {}).setdefault(parts[-1], folder)
        if folder:
            return
        if parts in self._files:
            self._twice.add(parts)
        self._files[parts] = info


def _check_end(file: BinaryIO, name: str) -> None:
    """How many names there are is known from an archive's last bytes, before any of them is read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END.size - 0xFFFF))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise NotTaken(f"{name} is no zip file that can be read.")
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
    if count > LISTED_MAX or length > DIRECTORY_MAX:
        raise NotTaken(f"{name} lists more than {LISTED_MAX} files.")


class Inner:
    """An archive that lies in another tree: opened anew each time, so that a class of them is not kept in memory."""

    def __init__(self, outer: Tree, at: Parts) -> None:
        self.name = at[-1]
        self.stray = 0
        self._outer, self._at = outer, at

    def children(self, at: Parts) -> dict[str, bool]:
        """See ``Tree``. Raises NotTaken."""
        return self._open().children(at)

    def read(self, at: Parts, limit: int) -> bytes:
        """See ``Tree``."""
        return self._open().read(at, limit)

    def _open(self) -> Archive:
        return Archive(io.BytesIO(self._outer.read(self._at, INNER_MAX)), self.name)
