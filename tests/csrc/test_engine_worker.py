"""The engine's loop: idle costs nothing, slow motion, doorbells of both kinds, busy polling, looking at a packet."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.csrc.rig import BUFFERS, EVENT_IDX, HEADER, LOG_ALL, MERGEABLE, RX, TX, Rig, until
from tour.memory.dirty import LogBitmap

pytestmark = pytest.mark.requires("embedded")


def switches(thread: threading.Thread) -> int:
    text = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


@pytest.mark.parametrize("busy", [0, 200])
def test_idle_costs_nothing(busy: int) -> None:
    with Rig(busy_poll_us=busy) as rig:
        rig.start()
        rig.send(b"one")
        rig.peer.recv(2048)
        until(rig.engine.idle)
        assert rig._thread is not None
        before = switches(rig._thread), rig.engine.counts(TX)
        time.sleep(0.5)
        assert (switches(rig._thread), rig.engine.counts(TX)) == before
        assert rig.status(TX).kicks_wanted


def test_busy_polling_needs_no_kick() -> None:
    with Rig(busy_poll_us=1_000_000) as rig:
        rig.start()
        rig.send(b"first")
        rig.peer.recv(2048)
        assert not rig.drivers[TX].needs_kick()
        rig.send(b"second", kick=False)
        assert rig.peer.recv(2048)[HEADER:] == b"second"
        assert rig.engine.counts(TX).kicks <= 1


def test_held_it_takes_only_what_is_released() -> None:
    with Rig() as rig:
        rig.start()
        rig.engine.hold(TX, True)
        rig.send(*(bytes([n]) for n in range(10)))
        until(rig.engine.idle)
        assert rig.status(TX).last_avail_idx == 0 and rig.status(TX).held
        for count in (1, 3):
            before = rig.status(TX).last_avail_idx
            rig.engine.release(TX, count)
            until(lambda n=before + count: rig.status(TX).last_avail_idx == n)  # type: ignore[misc]
            until(rig.engine.idle)
            assert rig.status(TX).last_avail_idx == before + count
        rig.engine.hold(TX, False)
        rig.reaped(TX, 10)
        assert [rig.peer.recv(2048)[HEADER] for _ in range(10)] == list(range(10))


def test_held_receiving() -> None:
    with Rig(MERGEABLE) as rig:
        rig.start()
        rig.engine.hold(RX, True)
        rig.offer(10)
        for n in range(4):
            rig.peer.send(bytes(HEADER) + bytes([n]))
        until(rig.engine.idle)
        assert rig.rings[RX].load_used_idx() == 0
        rig.engine.release(RX, 1)
        rig.reaped(RX, 1)
        until(rig.engine.idle)
        assert rig.rings[RX].load_used_idx() == 1
        rig.engine.hold(RX, False)
        rig.reaped(RX, 3)


def test_pipes_as_doorbells() -> None:
    with Rig() as rig:
        (kick, rings), (answer, call) = os.pipe(), os.pipe()
        rig.engine.doorbells(TX, kick, call, -1)
        rig.start()
        until(rig.engine.idle)
        for n in range(3):
            rig.send(bytes([n]), kick=False)
            os.write(rings, b"\1" * 8 * 100)
            assert rig.peer.recv(2048)[HEADER] == n
            assert os.read(answer, 8) == (1).to_bytes(8, "little")
        for fd in (kick, rings, answer, call):
            os.close(fd)


def test_a_kick_eventfd_is_never_read() -> None:
    with Rig() as rig:
        rig.start()
        for n in range(3):
            until(rig.engine.idle)
            rig.send(bytes([n]))
            rig.peer.recv(2048)
        assert os.eventfd_read(rig.kicks[TX]) == 3 == rig.engine.counts(TX).kicks


def test_a_full_call_eventfd_stops_nobody_in_quarantine() -> None:
    with Rig(quarantine=True) as rig:
        os.eventfd_write(rig.calls[TX], 2**64 - 2)
        os.set_blocking(rig.calls[TX], True)
        rig.engine.doorbells(TX, rig.kicks[TX], rig.calls[TX], -1)
        rig.start()
        rig.send(b"goes on")
        rig.reaped(TX, 1)
        until(rig.engine.idle)


def test_a_look_at_one_packet() -> None:
    with Rig(MERGEABLE) as rig:
        rig.start()
        rig.engine.last_packet(TX, True)
        rig.engine.last_packet(RX, True)
        rig.send(b"seen", b"not")
        assert [rig.peer.recv(2048)[HEADER:] for _ in range(2)] == [b"seen", b"not"]
        rig.offer(2)
        rig.peer.send(bytes(HEADER) + b"in")
        assert rig.reaped(RX, 1)[0].len == HEADER + 2
        assert rig.engine.last_packet(TX, False) == bytes(HEADER) + b"seen"
        assert rig.engine.last_packet(RX, False) == bytes(HEADER) + b"in"
        assert rig.engine.last_packet(RX, False) is None


def test_dirty_pages_of_buffers_and_used_ring() -> None:
    log = LogBitmap(0x600000)
    with Rig(LOG_ALL | EVENT_IDX) as rig:
        used = rig.rings[RX].gpa.used
        rig.engine.log(RX, log.hva, log.size, used, True, -1)
        rig.engine.log(TX, log.hva, log.size, rig.rings[TX].gpa.used, False, -1)
        rig.start()
        rig.offer(1)
        rig.send(b"reading dirties nothing")
        rig.reaped(TX, 1)
        rig.peer.send(bytes(HEADER) + b"in")
        rig.reaped(RX, 1)
        assert set(log.fetch_and_clear()) == {BUFFERS[RX], used // 4096 * 4096}
    log.close()


def test_nothing_is_lost_or_twice_when_stopped_under_load() -> None:
    """Stopped at any moment, it has done exactly what its index says."""
    sent = 0
    with Rig(EVENT_IDX, port=-1) as rig:
        rig.start()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            rig.send(*(bytes([n]) * 60 for n in range(50)))
            sent += 50
            rig.stop()
            base = rig.engine.detach(TX)
            assert base == rig.rings[TX].load_used_idx()
            rig.attach(TX, base)
            rig.run()
            rig.reaped(TX, 50)
        assert rig.engine.counts(TX).packets == sent
