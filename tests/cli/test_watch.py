"""``tour watch`` on a real server with a front end of ours: events, lines, recordings, slow motion, and every end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import environment, tour
from tests.support import require
from tests.view.watched import busy
from tour.agent.watch_client import WatchSession
from tour.agent.watching import Spectator
from tour.device.contract import TX
from tour.testing.front import Driver
from tour.trace import events as ev
from tour.trace import store

PACKET = bytes(12) + bytes(60)


class Running:
    """A command that runs until it is told to end."""

    def __init__(self, *words: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tour.cli", *map(str, words)], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip

    def end(self, number: int = signal.SIGINT, code: int = 0) -> tuple[str, str]:
        """What it told and said, ended by that signal with that exit code."""
        self.process.send_signal(number)
        told, said = self.process.communicate(timeout=30)
        assert b"Traceback" not in told + said, said.decode()
        assert self.process.returncode == code, said.decode()
        return told.decode(), said.decode()


def wait_for(condition: Callable[[], object], limit: float = 20.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server with a socketpair for its network, on ``net.sock``."""
    require("embedded")
    running = Running("vhost-user", "--socket", tmp_path / "net.sock", "--port", "socketpair")
    try:
        wait_for(lambda: (tmp_path / "net.sock.watch").exists())
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


@pytest.fixture
def path(server: Running, tmp_path: Path) -> Path:
    """That server's socket."""
    return tmp_path / "net.sock"


def test_events_lines_and_a_recording_of_real_packets(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "seen.jsonl"
    events = Running("watch", path, "--json", "-o", kept)
    lines = Running("watch", path, "--plain", "--lang", "zh")
    assert events.process.stdout is not None and lines.process.stderr is not None
    first, begun = events.process.stdout.readline(), lines.process.stderr.readline()
    with Driver(path) as driver:
        driver.set_up()
        for _ in range(30):
            driver.send(PACKET)
            driver.reap(TX, 1)
            time.sleep(0.1)
    told, _ = events.end()
    decoded = [ev.decode(line.encode()) for line in (first.decode(), *told.splitlines())]
    kinds = {type(event.data) for event in decoded}
    assert isinstance(decoded[0].data, ev.Hello) and {ev.Watching, ev.Message, ev.Sample, ev.Rates} <= kinds
    recording = store.load(kept)
    assert recording.whole and recording.hello.lesson == ev.WATCH
    spectator = Spectator(None, "en", recording.events)
    spectator.last_sample()
    assert spectator.moment().state.tx.used_idx > 0
    words, said = lines.end()
    assert "TX" in words and "包/秒" in words and "Ctrl-C" in begun.decode() + said
    assert "TX" in tour("replay", kept, "--plain")[0]


def test_slow_motion_lets_one_chain_through_at_a_time_and_ends_when_the_watcher_goes(path: Path) -> None:
    spectator = Spectator(WatchSession(path), "en")
    spectator.mailbox.attach(spectator.hear)
    spectator.begin()

    def returned() -> int:
        sample = spectator.history.edge.watched_of(TX).sample
        return sample.used_idx if sample else -1

    with Driver(path) as driver:
        driver.set_up()
        driver.send(PACKET)
        driver.reap(TX, 1)
        wait_for(lambda: returned() == 1)
        assert spectator.hold()
        wait_for(lambda: TX in spectator.held)
        driver.send(PACKET, PACKET, PACKET)
        wait_for(lambda: spectator.history.edge.tx.avail_idx == 4)
        assert driver.queues[TX].reap() is None and returned() == 1
        assert spectator.release()
        wait_for(lambda: returned() == 2)
        assert len(driver.reap(TX, 1)) == 1 and driver.queues[TX].reap() is None
        spectator.close()
        assert len(driver.reap(TX, 2)) == 2


@pytest.mark.parametrize(("number", "code", "words"), [(signal.SIGTERM, 0, ""), (signal.SIGKILL, 4, "has ended")])
def test_the_end_of_the_server_ends_the_watching(
    server: Running, path: Path, number: int, code: int, words: str
) -> None:
    watcher = Running("watch", path, "--plain")
    assert watcher.process.stderr is not None
    watcher.process.stderr.readline()
    server.process.send_signal(number)
    server.process.communicate(timeout=30)
    told, said = watcher.process.communicate(timeout=30)
    assert watcher.process.returncode == code and words in said.decode() and b"Traceback" not in told + said


def test_nothing_to_watch_says_what_to_start(tmp_path: Path) -> None:
    _, said = tour("watch", tmp_path / "none.sock", "--plain", code=2)
    assert "tour vhost-user --socket" in said
    _, said = tour("watch", "--plain", code=2)
    assert "needs one socket" in said


def test_a_recording_is_a_picture_and_lines_without_linux_or_a_terminal(tmp_path: Path) -> None:
    kept, picture = tmp_path / "w.jsonl", tmp_path / "w.svg"
    stream = busy()
    stream.tell(ev.Bye("watched"), actor="tour")
    kept.write_bytes(b"".join(map(ev.encode, stream.events)))
    told, _ = tour("replay", kept, "--plain")
    assert "waiting" in told and "The front end" in told
    tour("replay", kept, "--svg", picture, "--lang", "zh", "--at", "1.5")
    assert picture.read_text("utf-8").startswith("<svg") and ">回<" in picture.read_text("utf-8")
    assert tour("replay", kept, "--json")[0].count("\n") == len(stream.events)
    _, said = tour("replay", kept, "--svg", picture, "--at", "soon", code=2)
    assert "no number of seconds" in said


def test_what_cannot_be_watched_is_said_first_also_outside_a_terminal(tmp_path: Path) -> None:
    _, said = tour("watch", tmp_path / "net.sock", code=2)
    assert "Nobody can be watched" in said and "--plain" not in said
