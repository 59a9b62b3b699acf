"""Lesson 13, batching and busy polling: how many frames can share a doorbell, and what it costs not to sleep."""

import os
import time

from tour.device.contract import TX
from tour.net.frames import GUEST_MAC, PEER_MAC, ethernet
from tour.scene.measure import ETH_P_LOCAL, EVENT_IDX, PLAIN, Pair
from tour.scene.nic import TX_BUFFER, Nic
from tour.trace import events as ev
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
ROOM = 512
"""Bytes between two transmit buffers."""
FEW = 8
MANY = 1000
SIZES = (1, 2, 4, 8, 16, 32)
TIMES = 60
"""Batches of each size; their first decile is told."""
POLL_US = 5000
TRIES = 10
PACE_SECONDS = 0.002
FRAMES = 100
TICKS = os.sysconf("SC_CLK_TCK")
"""Clock ticks a second, in which /proc counts CPU time (proc(5))."""


def single(nic: Nic) -> str:
    """Eight frames, each offered, kicked and waited for."""
    nic.own.sent = 0
    ended = ""
    for _ in range(FEW):
        offer(nic, 1)
        nic.tx.kick()
        ended = rest(nic)
    return ended


def batch(nic: Nic) -> str:
    """Eight frames behind one kick."""
    offer(nic, FEW)
    nic.tx.kick()
    return rest(nic)


def batch_pairs(nic: Nic) -> str:
    """Eight frames behind four kicks."""
    ended = ""
    for _ in range(FEW // 2):
        offer(nic, 2)
        nic.tx.kick()
        ended = rest(nic)
    return ended


def burst(nic: Nic) -> None:
    """1000 frames, published before the one kick."""
    burst_of(nic, MANY)


def burst_small(nic: Nic) -> None:
    """64 frames, published before the one kick."""
    burst_of(nic, 64)


def burst_of(nic: Nic, count: int) -> None:
    """``count`` frames behind one kick, calls wanted."""
    with Pair(nic.chosen, PLAIN, rings_itself=False) as pair:
        pair.call_after(1)
        pair.send(count)
        pair.kick()
        pair.wait_used(count)
        pair.rest()
        rung = pair.rung()
    nic.figure("burst.frames", count)
    nic.figure("burst.kicks", rung.kicks)
    nic.figure("burst.calls", rung.calls)


def sweep(nic: Nic) -> None:
    """Batches of 1 to 32: how long until the last of it is called, how many frames a second that makes."""
    nic.figure("cpus", len(os.sched_getaffinity(0)))
    measure(nic, "sleep", 0)


def poll(nic: Nic) -> None:
    """The same batches; the worker looks on for 5 ms before it sleeps."""
    measure(nic, "poll", POLL_US)


def price(nic: Nic) -> None:
    """100 frames at leisure, a frame every 2 ms: the worker's CPU time when it sleeps in between, and when it polls."""
    for name, poll_us in (("sleep", 0), ("poll", POLL_US)):
        with Pair(nic.chosen, PLAIN | EVENT_IDX, poll_us=poll_us) as pair:
            before, begun = pair.worker_ticks(), time.monotonic()
            for _ in range(FRAMES):
                pair.send()
                time.sleep(PACE_SECONDS)
            pair.wait_used(FRAMES)
            took = time.monotonic() - begun
            ticks, rung = pair.worker_ticks() - before, pair.rung()
        nic.figure(f"price.{name}.cpu", round(100 * ticks / TICKS / took, 1))
        nic.figure(f"price.{name}.kicks", rung.kicks)


# --- parts ----------------------------------------------------------------------------------------------------


def offer(nic: Nic, count: int) -> None:
    """``count`` frames, described and entered, then published at once; what is done is taken back before."""
    while nic.tx.reap() is not None:
        pass
    for _ in range(count):
        gpa = TX_BUFFER + nic.own.sent % nic.plan.num * ROOM
        frame = ethernet(PEER_MAC, GUEST_MAC, ETH_P_LOCAL, nic.own.sent.to_bytes(46, "big"))
        nic.write_buffer(gpa, HEADER + frame, "frame")
        nic.tx.add([(gpa, len(HEADER) + len(frame))])
        nic.own.sent += 1
    nic.tx.publish()


def rest(nic: Nic) -> str:
    """Until the device has done all: on a busy machine its worker may stand still for longer than we look at first."""
    ended = nic.settle(TX)
    for _ in range(TRIES):
        if ended == "quiescent":
            break
        ended = nic.settle(TX)
    return ended


def measure(nic: Nic, series: str, poll_us: int) -> None:
    """One series of the plot, and its ends as figures."""
    with Pair(nic.chosen, PLAIN | EVENT_IDX, poll_us=poll_us) as pair:
        pair.batches(1, TIMES)
        pair.rung()
        for size in SIZES:
            found = pair.batches(size, TIMES)
            point = ev.Point("pace", series, round(found.frames_a_second), round(found.microseconds, 1))
            nic.recorder.emit(point, actor="tour", source="observer")
            if size in (SIZES[0], SIZES[-1]):
                nic.figure(f"{series}.wait{size}", round(found.microseconds, 1))
                nic.figure(f"{series}.rate{size}", round(found.frames_a_second))
        nic.figure(f"{series}.kicks", pair.rung().kicks)
