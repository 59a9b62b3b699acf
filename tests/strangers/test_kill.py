"""kill -9 in mid-traffic, of everybody in turn: the others say so, nothing is left, whoever comes next is served."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.kill.family import Family, Places, descendants
from tests.strangers import testpmd
from tests.strangers.ground import Serving, serving, serving_at
from tests.strangers.test_guests import LEAST, need
from tests.strangers.testpmd import Testpmd
from tests.support import alive, kill, require, wait_until
from tour.agent.watch_client import WatchSession
from tour.errors import TourError
from tour.guest import trials
from tour.guest.machine import Guest
from tour.guest.shape import Shape
from tour.guest.start import start
from tour.trace import events as ev

pytestmark = pytest.mark.requires("embedded", "tun")

LONG = 60.0
"""Seconds of a stream that somebody's death ends early."""
LOST = 4
BUSY = 1000
"""Packets after which traffic flows."""


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Where the program may keep files; none may be left."""
    made = Places.below(tmp_path)
    before = made.files()
    yield made
    assert made.files() - before == set()


# --- all that `tour guest` starts ---


@pytest.mark.parametrize("victim", ["front end", "server", "guest"])
def test_one_of_tour_guests_processes(places: Places, victim: str) -> None:
    need("uml")
    front = tour_guest(places, "uml", "--exec", "ping -c 1 10.0.2.2 && echo begun && exec ping -A -q 10.0.2.2")
    parts = wait_until(lambda: busy_parts(front.pid), "server and guest with traffic", 60.0)
    family = Family(front.pid)
    kill(parts[victim])
    said = front.communicate(timeout=30)[1].decode()
    family.assert_gone()
    if victim == "front end":
        assert front.returncode == -signal.SIGKILL
        return
    assert front.returncode == LOST, said
    assert f"The {'vhost-user server' if victim == 'server' else 'guest'} has ended" in said
    assert "9 (SIGKILL)" in said and "Traceback" not in said


def tour_guest(places: Places, *words: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tour.cli", "guest", *words, "--lang", "en"]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=places.work, env=places.environ(), stdout=pipe, stderr=pipe)


def parts_of(front: int) -> dict[str, int]:
    """The processes that do the work, once all are there."""
    found = {"front end": front}
    for pid in descendants(front):
        if comm(pid) == "linux.uml":
            found.setdefault("guest", pid)
        elif has_tap(pid):
            found.setdefault("server", pid)
    return found if len(found) == 3 else {}


def busy_parts(front: int) -> dict[str, int]:
    """The same once packets flow: before that a process of the guest's may be one that only looked around."""
    found = parts_of(front)
    return found if found and traffic(found["server"]) > BUSY else {}


def comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def has_tap(pid: int) -> bool:
    try:
        return "tap0:" in Path(f"/proc/{pid}/net/dev").read_text() and "vhost-user" in cmdline(pid)
    except OSError:
        return False


def cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")


def traffic(pid: int) -> int:
    try:
        found = re.search(r"tap0:\s*\d+\s+(\d+)", Path(f"/proc/{pid}/net/dev").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


# --- a server, a guest and a watcher that know nothing of each other ---


def streaming(ours: Serving, guest: Guest, seconds: float) -> None:
    """TCP flows out of the guest."""
    before = ours.tap().sent
    trials.begin_tcp(guest, seconds)
    wait_until(lambda: ours.tap().sent > before + BUSY, "a stream")


@pytest.mark.parametrize("kind", ["uml", "qemu"])
def test_a_guest(tmp_path: Path, kind: str) -> None:
    need(kind, "uml", "iperf3")
    with serving(tmp_path, "--exec", trials.PEER) as ours:
        with start(kind, Shape(ours.server.path, programs=("iperf3",))) as guest:
            streaming(ours, guest, LONG)
            kill(guest.pid)
            with pytest.raises(TourError, match="The guest has ended"):
                guest.finish(10.0)
        ours.await_note("serve.front_end_left")
        kept = ours.descriptors()
        with start("uml", Shape(ours.server.path)) as other:
            assert trials.ping(other, 3).received == 3
        ours.await_note("serve.front_end_left", 2)
        wait_until(lambda: ours.descriptors() == kept, "what the guests brought to be let go of")


def test_testpmd(tmp_path: Path) -> None:
    require("dpdk", testpmd.probe)
    with serving(tmp_path, "--queues", "2") as ours:
        kept = 0
        for round_ in range(1, 4):
            with Testpmd(tmp_path, ours.server.path, ("in_order=0", "packed_vq=0"), 2) as driver:
                driver.ask("set fwd txonly")
                driver.ask("start")
                wait_until(partial(busy, ours, ours.tap().sent), "packets")
                kill(driver.process.pid)
            ours.await_note("serve.front_end_left", round_)
            kept = kept or ours.descriptors()
            wait_until(partial(holds, ours, kept), "what it brought to be let go of")


def busy(ours: Serving, before: int) -> bool:
    return ours.tap().sent > before + BUSY


def holds(ours: Serving, descriptors: int) -> bool:
    return ours.descriptors() == descriptors


def test_a_server_and_qemu_comes_back_to_the_next(tmp_path: Path) -> None:
    need("qemu", "iperf3")
    path = tmp_path / "socket"
    with ExitStack() as stack:
        first = stack.enter_context(serving_at(path, "--exec", trials.PEER))
        guest = stack.enter_context(start("qemu", Shape(str(path), programs=("iperf3",))))
        streaming(first, guest, LONG)
        below = list(descendants(first.server.process.pid))
        kill(first.server.pid)
        wait_until(lambda: first.server.error, "the news")
        assert "9 (SIGKILL)" in str(first.server.error)
        wait_until(lambda: not any(map(alive, below)) and not path.exists(), f"the end of {below}")
        second = stack.enter_context(serving_at(path, "--exec", trials.PEER))
        second.await_note("serve.front_end_came")
        assert not trials.done_well(guest.finish(LONG)), "a stream to a network that is gone"
        assert trials.ping(guest, 3).received == 3
        assert trials.tcp(guest, 1.0) > LEAST
        assert trials.tcp(guest, 1.0, inwards=True) > LEAST
        assert not second.broken


def test_a_server_and_user_mode_linux_lives_on(tmp_path: Path) -> None:
    need("uml")
    with ExitStack() as stack:
        ours = stack.enter_context(serving_at(tmp_path / "socket"))
        guest = stack.enter_context(start("uml", Shape(ours.server.path)))
        guest.start("ping -A -q -w 3 10.0.2.2")
        wait_until(lambda: ours.tap().sent > 100, "pings")
        kill(ours.server.pid)
        assert guest.finish(10.0).code, "its card has gone"
        assert guest.run("cat /sys/class/net/eth0/address; echo alive").text.endswith("alive\n")


def test_a_watcher(tmp_path: Path) -> None:
    need("uml", "iperf3")
    with serving(tmp_path, "--exec", trials.PEER) as ours:
        with start("uml", Shape(ours.server.path, programs=("iperf3",))) as guest:
            watcher = tour_watch(ours.server.path)
            assert watcher.stdout
            streaming(ours, guest, 2.0)
            while not isinstance(ev.decode(watcher.stdout.readline()).data, ev.Rates):
                pass
            kill(watcher.pid)
            watcher.communicate()
            assert trials.tcp_rate(guest.finish(20.0)) > LEAST, "the stream went on to its end"
            assert trials.ping(guest, 3).received == 3
        ours.await_note("serve.front_end_left")


def test_a_server_that_is_watched(tmp_path: Path) -> None:
    need("uml")
    with ExitStack() as stack:
        ours = stack.enter_context(serving_at(tmp_path / "socket"))
        guest = stack.enter_context(start("uml", Shape(ours.server.path)))
        guest.start("ping -A -q -w 3 10.0.2.2")
        watcher = tour_watch(ours.server.path)
        assert watcher.stdout
        while not isinstance(ev.decode(watcher.stdout.readline()).data, ev.Rates):
            pass
        kill(ours.server.pid)
        said = watcher.communicate(timeout=10)[1].decode()
        assert "What was watched has ended" in said and "Traceback" not in said
        assert watcher.returncode == LOST
        with pytest.raises(TourError, match="Nobody can be watched"):
            WatchSession(Path(ours.server.path))


def tour_watch(path: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tour.cli", "watch", path, "--json", "--lang", "en"]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ})
