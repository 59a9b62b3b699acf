"""``tour vhost-user`` at work, watched: what is told is what the driver's memory holds, slow motion lets one chain
through, and whoever is killed (a watcher, the server) leaves the others going."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.test_watch_door import HOLDER, Visitor
from tests.support import ROOT, wait_until
from tour.agent import protocol
from tour.device.contract import TX
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.net.null import NullPort
from tour.scene.packets import BASE, PacketIO
from tour.trace import events as ev
from tour.trace.fold import fold_all
from tour.trace.state import State
from tour.virtqueue.burst import place
from tour.virtqueue.ring import Ring

pytestmark = [pytest.mark.requires("embedded")]
GEARS = ("engine", "python")
NUM, ROOM = 64, 2048
FRAME = bytes.fromhex("ffffffffffff02000000000108000102") + bytes(48)


class Served:
    """A server, our own driver attached to it, and one who watches."""

    def __init__(self, folder: Path, gear: str) -> None:
        self.path = folder / "s"
        argv = [sys.executable, "-m", "tour.cli", "vhost-user", "--socket", str(self.path), "--port", "null"]
        self.server = subprocess.Popen([*argv, "--gear", gear], cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: self.path.with_name("s.watch").exists(), "the watch door", 30)
            self.device = VhostUserDevice(str(self.path))
            self.packets = PacketIO(self.device, NullPort(), num=NUM, room=ROOM)
            self.visitor = Visitor(self.path)
            self._folded, self._state = 0, State()
        except BaseException:
            self.server.kill()
            self.server.wait()
            raise

    @property
    def state(self) -> State:
        """After all events told so far."""
        new = self.visitor.events[self._folded :]
        self._folded, self._state = self._folded + len(new), fold_all(new, self._state)
        return self._state

    @property
    def sample(self) -> ev.Sample | None:
        return self.state.watched_of(TX).sample

    def send(self, count: int) -> None:
        self.packets.send(FRAME * count, len(FRAME))

    @property
    def ring(self) -> Ring:
        """The transmit ring as the driver's memory has it."""
        where = place(NUM, place(NUM, BASE, ROOM).end, ROOM)
        return Ring(self.packets.memory, where.ring, TX)

    def used(self) -> int:
        return self.ring.load_used_idx()

    def close(self) -> None:
        self.visitor.session.close()
        if self.server.poll() is None:
            self.packets.close()
        self.device.close()
        self.server.terminate()
        self.server.wait(10)


@pytest.fixture(params=GEARS)
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    made = Served(tmp_path, request.param)
    yield made
    made.close()


def test_what_is_told_is_what_the_drivers_memory_holds(served: Served) -> None:
    served.send(5)
    wait_until(lambda: served.sample is not None and served.sample.used_idx == 5, "five frames")
    ring, told = served.ring, served.state.tx
    assert (told.avail_idx, told.used_idx, told.last_avail_idx) == (ring.load_avail_idx(), ring.load_used_idx(), 5)
    assert [told.avail_ring[n] for n in range(5)] == [ring.read_avail_entry(n) for n in range(5)]
    assert [told.used_ring[n] for n in range(5)] == [tuple(ring.read_used_entry(n)) for n in range(5)]
    watching = served.state.watching
    assert watching is not None and watching.pid == os.getpid()


def test_totals_and_packets_are_told(served: Served) -> None:
    served.visitor.says(protocol.Packet, True)

    def shown() -> bool:
        served.send(1)
        return bool(served.visitor.of(ev.Packet))

    wait_until(shown, "a packet")
    packet = served.visitor.of(ev.Packet)[0].data
    assert isinstance(packet, ev.Packet) and packet.frame == FRAME.hex() and len(packet.hdr) == 24
    wait_until(lambda: served.state.watched_of(TX).rates[-1].packets == served.used() > 0, "the totals")


def test_slow_motion_lets_one_chain_through_at_a_time(served: Served) -> None:
    served.visitor.says(protocol.Hold, TX)
    served.send(3)
    wait_until(lambda: served.sample is not None and served.sample.held and served.sample.avail_idx == 3, "it held")
    for count in (1, 2):
        assert served.visitor.says(protocol.Release, TX, 1).ok
        wait_until(lambda count=count: served.used() == count, "one chain")  # type: ignore[misc]
        wait_until(lambda count=count: (s := served.sample) is not None and s.used_idx == count, "it to be told")  # type: ignore[misc]
    served.visitor.says(protocol.Resume, TX)
    wait_until(lambda: served.used() == 3, "all")


def test_a_killed_watcher_lets_go_of_the_guest(served: Served) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(served.path)], cwd=ROOT) as holder:
        wait_until(lambda: served.sample is not None and served.sample.held, "it to hold", 30)
        served.send(3)
        holder.send_signal(signal.SIGKILL)
    wait_until(lambda: served.used() == 3, "the guest to go on")
    wait_until(lambda: served.sample is not None and not served.sample.held, "it to be told")
    assert served.server.poll() is None


def test_a_killed_server_is_said_and_leaves_no_socket(served: Served) -> None:
    served.server.kill()
    served.server.wait()
    wait_until(lambda: bool(served.visitor.ended), "the end")
    why = served.visitor.ended[0]
    assert why is not None and "has ended" in why.what
    wait_until(lambda: os.listdir(served.path.parent) == [], "the sockets to be removed")


def test_a_front_end_that_leaves_is_told_and_the_next_is_watched(served: Served) -> None:
    served.send(2)
    wait_until(lambda: served.sample is not None and served.sample.used_idx == 2, "two frames")
    served.packets.close()
    served.device.close()
    wait_until(lambda: (w := served.state.watching) is not None and w.pid == 0, "nobody attached")
    served.device = VhostUserDevice(str(served.path))
    served.packets = PacketIO(served.device, NullPort(), num=128)
    served.send(1)
    wait_until(
        lambda: (s := served.sample) is not None and (s.num, s.used_idx, s.running) == (128, 1, True), "the next"
    )
