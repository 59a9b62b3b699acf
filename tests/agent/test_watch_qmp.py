"""A guest's rings seen two ways at once: through the watch door of the device, and from outside, by QMP and
/proc/PID/mem. Both are memory, so both must tell the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import pinger
from tests.support import ROOT, wait_until
from tour.agent.session import Session
from tour.agent.watch_client import WatchSession
from tour.agent.watch_qmp import QmpSession
from tour.errors import TourError
from tour.trace import events as ev
from tour.trace.fold import fold_all

pytestmark = [pytest.mark.requires("lab"), pytest.mark.timeout(180)]
Row = tuple[int, ...]


class Watch:
    """What a session told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[ev.Event] = []
        self.ended: list[TourError | None] = []
        session.start(self.events.append, self.ended.append, lambda text: None)

    def samples(self, queue: int) -> list[ev.Sample]:
        return [e.data for e in list(self.events) if isinstance(e.data, ev.Sample) and e.data.queue == queue]

    def used(self, queue: int) -> dict[int, set[Row]]:
        """Used entries by slot, of the first lap of the ring."""
        rows: dict[int, set[Row]] = {}
        for sample in self.samples(queue):
            for slot, *entry in sample.used:
                if slot < sample.used_idx < sample.num:
                    rows.setdefault(slot, set()).add(tuple(entry))
        return rows


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A QEMU whose network device is ours, and whose guest pings."""
    folder = tmp_path_factory.mktemp("guest")
    pinger.prepare(folder)
    sock = folder / "vu"
    serve = [sys.executable, "-m", "tour.cli", "vhost-user", "--socket", str(sock), "--port", "socketpair"]
    server = subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.DEVNULL)
    network = ("-netdev", "vhost-user,id=n,chardev=c", "-chardev", f"socket,id=c,path={sock}")
    processes = [server]
    try:
        wait_until(sock.exists, "the server's socket", 30)
        processes.append(subprocess.Popen(pinger.qemu(folder, *network)))
        wait_until(lambda: b"bytes from" in _console(folder), "the guest to ping", 90)
        yield folder, processes[1]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)


def _console(folder: Path) -> bytes:
    path = folder / "console"
    return path.read_bytes() if path.exists() else b""


@pytest.fixture(scope="module")
def watches(guest: tuple[Path, subprocess.Popen[bytes]]) -> Iterator[tuple[Watch, Watch]]:
    folder, _ = guest
    near, far = Watch(WatchSession(folder / "vu")), Watch(QmpSession(folder / "qmp"))
    enough: Callable[[], bool] = lambda: all(len(one.samples(1)) >= 20 for one in (near, far))  # noqa: E731
    wait_until(enough, "samples", 60)
    yield near, far
    near.session.close()
    far.session.close()


@pytest.mark.parametrize("queue", [0, 1])
def test_both_tell_the_same_of_the_ring(watches: tuple[Watch, Watch], queue: int) -> None:
    near, far = (watch.used(queue) for watch in watches)
    both = near.keys() & far.keys()
    assert len(both) >= 15
    assert all(near[slot] == far[slot] and len(near[slot]) == 1 for slot in both)


@pytest.mark.parametrize("queue", [0, 1])
def test_words_of_the_same_instant_agree(watches: tuple[Watch, Watch], queue: int) -> None:
    """Ordered by time, the index that only grows is never seen to fall, whoever saw it."""
    told = sorted((s.t_from, s.t_to, s.used_idx) for watch in watches for s in watch.samples(queue) if s.running)
    for (_, end, before), (begin, _, after) in zip(told, told[1:], strict=False):
        assert begin < end or after >= before


def test_a_foreign_index_is_proven_or_unknown(watches: tuple[Watch, Watch]) -> None:
    near, far = watches
    assert all(sample.last_avail_idx is not None for sample in near.samples(1))
    for sample in far.samples(1):
        assert sample.last_avail_idx in (None, sample.used_idx)


def test_whose_memory_it_is_is_told(watches: tuple[Watch, Watch], guest: tuple[Path, subprocess.Popen[bytes]]) -> None:
    for watch, by in zip(watches, ("socket", "qmp"), strict=True):
        watching = fold_all(watch.events).watching
        assert watching is not None and (watching.by, watching.pid) == (by, guest[1].pid)


def test_a_killed_guest_ends_one_and_is_told_to_the_other(
    watches: tuple[Watch, Watch], guest: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    near, far = watches
    guest[1].kill()
    wait_until(lambda: bool(far.ended), "the end")
    assert far.ended[0] is not None and "QEMU has ended" in far.ended[0].what
    wait_until(lambda: (w := fold_all(list(near.events)).watching) is not None and w.pid == 0, "nobody to be attached")
    assert near.ended == []
