"""The worker as /proc shows it: which thread it is, whether it sleeps, how much CPU time it had.

Up to Linux 6.3 the worker is a kernel thread named ``vhost-<pid of the owner>``; from 6.4 it is a thread of the
owner's process under the same name, as ours is
(drivers/vhost/vhost.c: vhost_dev_set_owner@6.1, vhost_worker_create@6.5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tour.trace.events import Worker
from tour.trace.recorder import Recorder

PREFIX = "vhost-"


@dataclass(frozen=True)
class WorkerThread:
    """A thread in /proc: ``form`` is ``kthread``, ``thread`` (of the owner, made by the kernel) or ``ours``."""

    name: str
    tid: int
    form: str

    @property
    def _folder(self) -> Path:
        if self.form == "kthread":
            return Path(f"/proc/{self.tid}")
        return Path(f"/proc/self/task/{self.tid}")

    def look(self) -> Worker:
        """State letter and CPU ticks now; state ``X`` once the thread is gone."""
        try:
            stat = (self._folder / "stat").read_text()
        except OSError:
            return Worker(self.name, self.tid, self.form, "X")
        fields = stat[stat.rindex(")") + 2 :].split()
        return Worker(self.name, self.tid, self.form, fields[0], int(fields[11]) + int(fields[12]))

    def emit(self, recorder: Recorder) -> Worker:
        """Look, and record what was seen."""
        seen = self.look()
        recorder.emit(seen, actor="device", source="observer")
        return seen


def _numbers(folder: str) -> set[int]:
    return {int(name) for name in os.listdir(folder) if name.isdigit()}


def threads_now() -> tuple[set[int], set[int]]:
    """All processes that /proc shows, and the threads of this one."""
    return _numbers("/proc"), _numbers("/proc/self/task")


def find_new(before: tuple[set[int], set[int]]) -> WorkerThread | None:
    """The vhost worker that is there now and was not ``before``, None if /proc shows none."""
    processes, threads = threads_now()
    for tid, name in _named("/proc/self/task", threads - before[1]):
        return WorkerThread(name, tid, "thread")
    for tid, name in _named("/proc", processes - before[0]):
        return WorkerThread(name, tid, "kthread")
    return None


def _named(folder: str, tids: set[int]) -> Iterator[tuple[int, str]]:
    for tid in sorted(tids):
        try:
            name = Path(folder, str(tid), "comm").read_text().strip()
        except OSError:
            continue
        if name.startswith(PREFIX):
            yield tid, name
