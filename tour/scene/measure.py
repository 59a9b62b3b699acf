"""A queue pair beside the learner's, to count and to time: nothing of it is told event by event.

Its device is of the kind the lesson runs on (an embedded one with its rings turned in C), its tap is one of its own,
its driver sends at speed (``virtqueue.burst``). What is told of a run are figures: doorbells as the kernel counts them
in their eventfds, times by this machine's clock.
"""

from __future__ import annotations

import contextlib
import os
import select
import statistics
import time
from contextlib import ExitStack
from typing import NamedTuple, Self

from tour.abi.names import Feature, word_of
from tour.device.contract import TX, VhostDevice
from tour.device.embedded import EmbeddedDevice
from tour.device.kernel import KernelDevice
from tour.device.observer import eventfd_count
from tour.errors import TimedOut
from tour.net.frames import GUEST_MAC, PEER_MAC, ethernet
from tour.net.links import open_links
from tour.net.port import require_own_network
from tour.net.tap import TapPort
from tour.scene.choose import Chosen
from tour.scene.packets import PacketIO

ETH_P_LOCAL = 0x88B5
"""IEEE 802: for local experiments. No stack answers it."""
FRAME = ethernet(PEER_MAC, GUEST_MAC, ETH_P_LOCAL, bytes(46))
NUM = 1024
PLAIN = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
EVENT_IDX = Feature.VIRTIO_RING_F_EVENT_IDX.mask
SECONDS = 5.0
REST_SECONDS = 0.05
LOOK_SECONDS = 0.001


class Rung(NamedTuple):
    """How often each doorbell of the transmit queue was rung."""

    kicks: int
    calls: int


class Batch(NamedTuple):
    """What batches of ``size`` cost: the time from offering one until its call is read, that of the quickest tenth
    (other work of the machine lengthens the others), and at that pace the frames a second."""

    size: int
    microseconds: float
    frames_a_second: float


def _device(chosen: Chosen, poll_us: int) -> VhostDevice:
    if chosen.device == "kernel":
        return KernelDevice()
    return EmbeddedDevice(gear="engine", busy_poll_us=poll_us)


class Pair:
    """One queue pair of 1024 slots, served by a device of its own on a tap of its own; a context manager.

    ``poll_us``: how long the worker looks on for more before it sleeps. Without ``rings_itself`` the driver leaves it
    to ``kick``. Raises CapabilityMissing without a tap.
    """

    def __init__(self, chosen: Chosen, features: int = PLAIN, *, poll_us: int = 0, rings_itself: bool = True) -> None:
        self._stack = ExitStack()
        self._used = 0
        require_own_network()
        try:
            self._tap = self._stack.enter_context(TapPort(name="tap1"))
            open_links().set_up(self._tap.name)
            self.device = _device(chosen, poll_us)
            self._stack.callback(self.device.close)
            self.packets = PacketIO(self.device, self._tap, num=NUM, wanted=features, rings_itself=rings_itself)
            self._stack.callback(self.packets.close)
            if isinstance(self.device, KernelDevice):
                self.device.set_vring_busyloop_timeout(TX, poll_us)
            self._part()
            self.rest()
            self._begun = self._counts()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(self) -> None:
        """Driver and worker on a CPU each, where there are two and the kernel lets us: else a woken worker may take the
        driver's own CPU, and what is measured is the scheduler."""
        cpus = sorted(os.sched_getaffinity(0))
        worker = self.device.worker
        if len(cpus) > 1 and worker is not None:
            with contextlib.suppress(OSError):
                self._stack.callback(os.sched_setaffinity, 0, set(cpus))
                os.sched_setaffinity(worker.tid, {cpus[1]})
                os.sched_setaffinity(0, {cpus[0]})

    def close(self) -> None:
        """Stop the rings, end the worker, remove the tap."""
        self._stack.close()

    def send(self, count: int = 1) -> None:
        """``count`` frames, published by the 32. Raises TimedOut when the ring is too full."""
        self._all(self.packets.send(FRAME * count, len(FRAME)), count)

    def send_apart(self, count: int) -> None:
        """``count`` frames, each published by itself, with its own look whether to kick. Raises as ``send``."""
        self._all(self.packets.tx.send_apart(FRAME, count), count)

    @staticmethod
    def _all(took: int, count: int) -> None:
        if took != count:
            raise TimedOut(f"The ring took {took} of {count} frames.")

    def wait_begun(self) -> None:
        """Look until the worker has handed something back. Raises TimedOut."""
        end = time.monotonic() + SECONDS
        while not (used := self.packets.tx.reap()):
            if time.monotonic() > end:
                raise TimedOut(f"After {SECONDS:g} seconds no frame is used.")
        self._used += used

    def kick(self) -> None:
        """Ring the doorbell, wanted or not."""
        os.eventfd_write(self.packets.kicks[TX], 1)

    def call_after(self, count: int) -> bool:
        """Ask for a call once ``count`` more are used (without event idx: for every one from the next on; 0: for none).
        Whether that many are there already."""
        return self.packets.tx.call_after(count)

    def batches(self, size: int, times: int) -> Batch:
        """Offer ``size`` frames (32 at most) with at most one kick, sleep until the call for the last, ``times`` over.
        Wants EVENT_IDX. Raises TimedOut."""
        took = []
        for _ in range(times):
            begun = time.monotonic_ns()
            self.call_after(size)
            self.send(size)
            self._sleep_until_called(size)
            took.append(time.monotonic_ns() - begun)
            self.wait_used(size)
        each = statistics.quantiles(took, n=10)[0]
        return Batch(size, each / 1000, size * 1e9 / each)

    def _sleep_until_called(self, count: int) -> None:
        """A call says no more than: look."""
        poll, fd = select.poll(), self.packets.calls[TX]
        poll.register(fd, select.POLLIN)
        while not self.call_after(count):
            if not poll.poll(SECONDS * 1000):
                raise TimedOut(f"The device did not call within {SECONDS:g} seconds.")
            os.eventfd_read(fd)

    def worker_ticks(self) -> int:
        """CPU time that the worker had so far, in clock ticks (proc(5))."""
        worker = self.device.worker
        return worker.look().ticks if worker else 0

    def wait_used(self, count: int) -> None:
        """Look, without asking for anything, until ``count`` more are used and taken back, those included that
        ``wait_begun`` saw. Raises TimedOut."""
        end, left = time.monotonic() + SECONDS, count - self._used
        self._used = 0
        while (left := left - self.packets.tx.reap()) > 0:
            if time.monotonic() > end:
                raise TimedOut(f"After {SECONDS:g} seconds {left} frames are not used.")
            time.sleep(LOOK_SECONDS)

    @property
    def outstanding(self) -> int:
        """Frames that the driver has not taken back, once it has taken back what it can."""
        self._used += self.packets.tx.reap()
        return self.packets.tx.counts()["outstanding"]

    def rest(self) -> None:
        """Look until the worker has slept for a while: 5 seconds at most."""
        end = time.monotonic() + SECONDS
        quiet = time.monotonic()
        while time.monotonic() - quiet < REST_SECONDS and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            quiet = quiet if self.device.asleep() else time.monotonic()

    def rung(self) -> Rung:
        """Kicks and calls since the last time this was asked, as the kernel has counted them."""
        now, before = self._counts(), self._begun
        self._begun = now
        return Rung(now[0] - before[0], now[1] - before[1])

    def _counts(self) -> tuple[int, int]:
        return eventfd_count(self.packets.kicks[TX]), eventfd_count(self.packets.calls[TX])
