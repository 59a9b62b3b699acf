"""``tour vhost-user`` as it is typed: a front end of ours attaches to the real process and its real tap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.vhost_user.conftest import Driver, descriptors
from tests.support import ROOT, alive, require, wait_until
from tour.device.contract import RX, TX
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, arp_request, parse_arp
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.trace.store import load

CHEAP = 60 << 10
"""KiB of memory that a server may take."""


class Command:
    """The command in a process of its own."""

    def __init__(self, folder: Path, *words: str, told: Path | None = None) -> None:
        self.socket = folder / "net.sock"
        argv = [sys.executable, "-m", "tour.cli", "vhost-user", "--socket", str(self.socket), "--lang", "en", *words]
        self.log = folder / "log"
        with self.log.open("wb") as said, (told or Path(os.devnull)).open("wb") as stdout:
            self.process = subprocess.Popen(argv, cwd=ROOT, stdout=stdout, stderr=said)

    def ready(self) -> None:
        wait_until(lambda: "Listening" in self.said() or self.process.poll() is not None, "the server to listen")
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)

    def look(self) -> tuple[int, ...]:
        """CPU ticks and voluntary context switches of all its threads; memory in KiB."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        ticks = switches = 0
        for task in tasks.iterdir():
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            lines = (task / "status").read_text().splitlines()
            switches += next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))
        status = (tasks.parent / "status").read_text()
        return ticks, switches, int(status.partition("VmRSS:")[2].split()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    require("embedded")
    before = descriptors()
    yield tmp_path
    assert descriptors() == before


def exchange(driver: Driver) -> None:
    """An ARP request goes out and its answer comes in."""
    driver.set_up()
    driver.provide(4)
    driver.send(bytes(12) + arp_request(GUEST_MAC, GUEST_IP, PEER_IP))
    driver.reap(TX, 1)
    ((head, length),) = driver.reap(RX, 1)
    assert parse_arp(driver.memory.read(driver.rings[RX].read_desc(head).addr, length)[12:]).sha == PEER_MAC


@pytest.mark.parametrize("gear", ["engine", "python"])
def test_the_tap_of_a_namespace_answers_and_idling_costs_nothing(folder: Path, gear: str) -> None:
    require("tun")
    command = Command(folder, "--netns", "--gear", gear, "-o", str(folder / "rec.jsonl"))
    command.ready()
    for _ in range(2):
        with Driver(command.socket) as driver:
            exchange(driver)
            time.sleep(0.5)
            before = command.look()
            time.sleep(2)
            after = command.look()
    assert after[:2] == before[:2], "ticks and context switches of an idle server"
    assert after[2] < CHEAP
    assert command.end() == 0
    assert not command.socket.exists()
    said = command.said()
    assert said.count("A front end attached") == said.count("The front end left") == 2
    assert load(folder / "rec.jsonl").whole


def test_kill_leaves_nothing(folder: Path) -> None:
    require("tun")
    command = Command(folder, "--netns", "--exec", "echo $$ > pid; sleep 1000 & echo $! >> pid; wait".replace(
        "pid", str(folder / "pids")))  # fmt: skip
    command.ready()
    with Driver(command.socket) as driver:
        exchange(driver)
        wait_until(
            lambda: (folder / "pids").exists() and len((folder / "pids").read_text().split()) == 2, "the command"
        )
        tasks = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False)
        pids = [int(word) for word in tasks.stdout.split()]
        assert command.process.pid in pids
        command.end(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in pids), "everything to end")
        wait_until(lambda: not list(folder.glob("*.sock*")), "the sockets to go")
        with pytest.raises(OSError, match="closed the connection|Broken pipe|reset"):
            driver.device.get_features()


def test_the_front_end_that_is_killed_makes_room_for_the_next(folder: Path) -> None:
    command = Command(folder, "--port", "null")
    command.ready()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            Driver(command.socket).set_up()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
    with Driver(command.socket) as driver:
        driver.set_up()
        driver.send(bytes(72))
        driver.reap(TX, 1)
    assert command.end(signal.SIGINT) == 0


WRONG = {
    "--queues 0": 2,
    "--queues 65": 2,
    "--busy-poll -1": 2,
    "--port tun": 2,
    "--tap nosuch0": 2,
    "--netns --port null": 2,
    "--port null --exec true": 2,
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_option_is_said(folder: Path, words: str) -> None:
    command = Command(folder, *words.split())
    assert command.process.wait(15) == WRONG[words]
    assert "To mend it" in command.said()
    assert not command.socket.exists()


def test_json_is_a_stream_of_events(folder: Path) -> None:
    command = Command(folder, "--port", "null", "--json", "--once", told=folder / "events")
    command.ready()
    with Driver(command.socket) as driver:
        driver.set_up()
    assert command.process.wait(15) == 0
    events = [ev.decode(line) for line in (folder / "events").read_bytes().splitlines()]
    assert isinstance(events[0].data, ev.Hello) and isinstance(events[-1].data, ev.Bye)
    names = [event.data.name for event in events if isinstance(event.data, ev.Message)]
    assert names[0] == "VHOST_USER_GET_FEATURES"
    assert "VHOST_USER_SET_MEM_TABLE" in names
    fold_all(events)


def test_it_says_what_it_says_in_chinese(folder: Path) -> None:
    command = Command(folder, "--port", "null", "--lang", "zh", "--once")
    wait_until(lambda: "正在监听" in command.said(), "the server to listen")
    with Driver(command.socket) as driver, pytest.raises(OSError, match="closed|reset|Broken pipe"):
        driver.device.sock.sendall(bytes(12))
        driver.device.get_features()
    assert command.process.wait(15) == 0
    assert "前端发来的不是消息：消息的版本不是 1" in command.said()
