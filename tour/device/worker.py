"""The worker as /proc shows it: which thread it is, whether it sleeps, how much CPU time it had.

Up to Linux 6.3 the worker is a kernel thread named ``vhost-<pid of the owner>``; from 6.4 it is a thread of the
owner's process under the same name, as ours is
(drivers/vhost/vhost.c: vhost_dev_set_owner@6.1, vhost_worker_create@6.5).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tour.trace.events import Found, Looked, Threads, Worker
from tour.trace.recorder import Recorder

PREFIX = "vhost-"
FOLDERS = {"/proc/self/task": "thread", "/proc": "kthread"}
"""Where a worker may show, and what it then is."""
NEW_MOST = 8
REST_SECONDS = 0.2


@dataclass(frozen=True)
class WorkerThread:
    """A thread in /proc: ``form`` is ``kthread``, ``thread`` (of the owner, made by the kernel) or ``ours``;
    ``owner`` the process it belongs to, if it is not ours."""

    name: str
    tid: int
    form: str
    owner: str = "self"

    @property
    def _folder(self) -> Path:
        if self.form == "kthread":
            return Path(f"/proc/{self.tid}")
        return Path(f"/proc/{self.owner}/task/{self.tid}")

    def look(self) -> Worker:
        """State letter and CPU ticks now; state ``X`` once the thread is gone."""
        try:
            stat = (self._folder / "stat").read_text()
        except OSError:
            return Worker(self.name, self.tid, self.form, "X")
        fields = stat[stat.rindex(")") + 2 :].split()
        return Worker(self.name, self.tid, self.form, fields[0], int(fields[11]) + int(fields[12]))

    def switches(self) -> int | None:
        """How often it went to sleep of its own accord (voluntary_ctxt_switches, proc(5)); None once it is gone."""
        try:
            status = (self._folder / "status").read_text()
        except OSError:
            return None
        words = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(words["voluntary_ctxt_switches"])

    def rest(self) -> Worker:
        """Look until it no longer runs, 200 ms at most: a thread that was just made first runs to where it sleeps."""
        return self._look_until(lambda seen: seen.state != "R")

    def gone(self) -> Worker:
        """Look until it is gone, 200 ms at most: a thread that was told to end may still be ending."""
        return self._look_until(lambda seen: seen.state == "X")

    def _look_until(self, enough: Callable[[Worker], bool]) -> Worker:
        end = time.monotonic() + REST_SECONDS
        while not enough(seen := self.look()) and time.monotonic() < end:
            time.sleep(0.001)
        return seen

    def emit(self, recorder: Recorder) -> Worker:
        """Look, and record what was seen."""
        seen = self.look()
        recorder.emit(seen, actor="device", source="observer")
        return seen


Threadlist = dict[str, set[int]]


def threads_now() -> Threadlist:
    """The threads of this process, and all processes that /proc shows, by folder."""
    return {folder: {int(name) for name in os.listdir(folder) if name.isdigit()} for folder in FOLDERS}


def compare(before: Threadlist, after: Threadlist) -> Threads:
    """What is there ``after`` and was not ``before``. Of several, the one named ``vhost-`` is taken for the worker:
    on a busy machine another process may begin in the same moment."""
    looked = []
    worker = 0
    for folder in FOLDERS:
        new = [Found(tid, _name(folder, tid)) for tid in sorted(after[folder] - before[folder])]
        mine = [one.tid for one in new if one.name.startswith(PREFIX)]
        worker = worker or next(iter(mine), 0)
        looked.append(Looked(folder, len(before[folder]), len(after[folder]), new[:NEW_MOST]))
    return Threads(looked, worker)


def find_new(seen: Threads) -> WorkerThread | None:
    """The worker among what ``compare`` found, None where /proc shows none."""
    for looked in seen.looked:
        for one in looked.new:
            if one.tid == seen.tid:
                return WorkerThread(one.name, one.tid, FOLDERS[looked.folder])
    return None


def _name(folder: str, tid: int) -> str:
    try:
        return Path(folder, str(tid), "comm").read_text().strip()
    except OSError:
        return ""
