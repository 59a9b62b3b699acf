"""The real program with everybody below it, and the places where it could leave something."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support import ROOT, alive, children, kill, members, namespace_of, wait_until

KINDS = ("pid", "net", "mnt", "user")
SHARED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path("/run"))
OURS = re.compile("tour|vhost")


@dataclass(frozen=True)
class Places:
    """Where a run may leave files: a working folder, TMPDIR and XDG_RUNTIME_DIR of its own, and the shared ones."""

    folder: Path

    @classmethod
    def below(cls, folder: Path) -> Places:
        """Fresh ones below ``folder``."""
        for name in ("work", "tmp", "run"):
            (folder / name).mkdir(mode=0o700)
        return cls(folder)

    @property
    def work(self) -> Path:
        """The working folder."""
        return self.folder / "work"

    def environ(self) -> dict[str, str]:
        """This process's environment, pointing there."""
        ours = {"TMPDIR": str(self.folder / "tmp"), "XDG_RUNTIME_DIR": str(self.folder / "run")}
        return {**os.environ, "PYTHONPATH": str(ROOT), **ours}

    def files(self) -> set[Path]:
        """What lies there now: everything in the run's own folders, what could be ours in the shared ones."""
        found = {path for name in ("work", "tmp", "run") for path in (self.folder / name).rglob("*")}
        found |= {path for place in SHARED if place.is_dir() for path in place.iterdir() if OURS.search(path.name)}
        return found


class Family:
    """A front end and all its descendants, as they are now; ``who`` gives one by its part."""

    def __init__(self, front: int) -> None:
        self.front = front
        self.below = list(descendants(front))
        spaces = {(kind, namespace_of(pid, kind)) for pid in self.below for kind in KINDS}
        ours = {(kind, namespace_of(os.getpid(), kind)) for kind in KINDS}
        self.spaces = {(kind, name) for kind, name in spaces - ours if name}

    def who(self, part: str) -> int:
        """The process id of ``front end``, ``helper``, ``init``, ``agent``, ``keeper`` or ``VM``."""
        return [self.front, *self.below][PARTS[part]]

    def kill(self, part: str) -> None:
        """kill -9 that one; it must be there."""
        assert alive(self.who(part)), part
        kill(self.who(part))

    def assert_gone(self) -> None:
        """All below the front end end, and no process is left in a namespace of theirs."""
        wait_until(lambda: not any(map(alive, self.below)), f"the end of {self.below}")
        for kind, name in self.spaces:
            wait_until(partial(_empty, name, kind), f"the end of {name}")


PARTS = {"front end": 0, "helper": 1, "init": 2, "agent": 3, "keeper": 1, "VM": 2}


def _empty(namespace: str, kind: str) -> bool:
    return not members(namespace, kind)


def descendants(pid: int) -> Iterator[int]:
    """Everybody below ``pid``, parents first, whichever thread is the parent."""
    for child in children_of_threads(pid):
        yield child
        yield from descendants(child)


def children_of_threads(pid: int) -> list[int]:
    """The direct children of all threads of ``pid``."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    if threads == [str(pid)]:
        return children(pid)
    found: list[int] = []
    for thread in threads:
        try:
            found += [int(word) for word in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]
        except OSError:
            continue
    return sorted(found)


def family_of(front: int, size: int) -> Family:
    """The family once it has ``size`` members below the front end."""
    return wait_until(lambda: (found := Family(front)) and len(found.below) >= size and found, "the family", 30.0)  # type: ignore[no-any-return]
