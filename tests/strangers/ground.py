"""What proofs with strangers share: a server of ours heard by the test, and its tap's counters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import wait_until
from tour.guest.initramfs import GUEST_IP, GUEST_MAC
from tour.guest.server import Server
from tour.trace import events as ev


@dataclass
class Serving:
    """A server, and the keys of the notes it told, in order."""

    server: Server
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def hear(self, event: ev.Event) -> None:
        """Keep what tests ask for."""
        if isinstance(event.data, ev.Note):
            self.notes.append(event.data.key)
        elif isinstance(event.data, ev.Broken):
            self.broken.append(repr(event.data))

    def await_note(self, key: str, times: int = 1) -> None:
        """Wait until it told ``key`` that often."""
        wait_until(lambda: self.notes.count(key) >= times, f"{key}, heard {self.notes}")

    def tap(self) -> Counters:
        """The counters of its tap now."""
        return Counters.of(self.server.pid)

    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))


def send_into(pid: int, count: int) -> None:
    """Send ``count`` UDP packets from the network of process ``pid`` to the guest's address, of 16 flows."""
    own = ["-U", "--preserve-credentials"] if os.geteuid() else []
    argv = ["nsenter", "-t", str(pid), *own, "-n", sys.executable, "-c", SENDER, str(count), GUEST_IP, GUEST_MAC]
    subprocess.run(argv, check=True, timeout=30)


SENDER = """
import socket, subprocess, sys, time
count, ip, mac = int(sys.argv[1]), *sys.argv[2:]
subprocess.run(["ip", "neigh", "replace", ip, "lladdr", mac, "dev", "tap0", "nud", "permanent"], check=True)
flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
for number in range(count):
    flows[number % 16].sendto(b"%08d" % number, (ip, 9))
    if number % 64 == 63:
        time.sleep(0.002)
"""


@dataclass(frozen=True)
class Counters:
    """Packets that a tap took from (``sent``) and gave to (``received``) the guest, and those it dropped."""

    sent: int
    received: int
    dropped: int
    sent_bytes: int

    @classmethod
    def of(cls, pid: int) -> Counters:
        """Of the tap in the network of process ``pid`` (proc(5), /proc/net/dev)."""
        for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines():
            name, found, rest = line.strip().partition(":")
            if found and name == "tap0":
                words = [int(word) for word in rest.split()]
                return cls(words[1], words[9], words[3] + words[11], words[0])
        raise AssertionError("the server has no tap0")


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Serving]:
    """A server of ours with a network of its own; it must not have found anything broken."""
    with serving_at(folder / "socket", *words) as found:
        yield found
    assert not found.broken


@contextmanager
def serving_at(path: Path, *words: str) -> Iterator[Serving]:
    """The same at a place of the test's choice; afterwards its sockets are gone."""
    heard: list[Serving] = []
    early: list[ev.Event] = []
    with Server(str(path), ("--netns", *words), lambda event: (heard[0].hear if heard else early.append)(event)) as it:
        heard.append(Serving(it))
        yield heard[0]
    wait_until(lambda: not path.exists() and not Path(f"{path}.watch").exists(), "the end of its sockets")
