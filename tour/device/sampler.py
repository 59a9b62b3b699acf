"""Watching a device at full speed: looks at its rings some times a second and tells what changed.

A thread of its own, at nice 10, that looks only while somebody watches, and less often when the cores are busy. It
holds none of the worker's locks: what it reads it copies (``look``), what it counts the worker counts anyway.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tour.abi import native
from tour.device.contract import TX
from tour.device.embedded import EmbeddedDevice
from tour.device.look import Eye, Standing, look
from tour.errors import UsageError
from tour.trace.events import AnyPayload, Error, Packet, Rates, Sample
from tour.trace.recorder import Recorder

HERTZ_MOST = 20.0
HERTZ_BUSY = 5.0
HERTZ_LEAST = 1.0
"""Looks a second: at most, when every core is busy, and when even so it comes late itself."""
NICE = 10
JUDGED_SECONDS = 1.0
"""How often it is judged whether the cores are busy."""
IDLE_SHARE = 0.1
"""Cores that idle for less than this share of the time are busy."""
PACKET_SECONDS = 0.25
"""How often a packet is shown, of each queue."""
AROUND_SECONDS = 1.0
FRAME_MOST = 1518
"""Bytes of a frame that are told: an Ethernet frame without offloads is told whole."""
AFTERGLOW = 1_200_000_000
"""How long totals that no longer change are still told, ns: a rate over the last second then falls to zero."""


class EmbeddedEye:
    """Looks at ring ``index`` of an embedded device, told as ring ``queue``."""

    exact = True

    def __init__(self, device: EmbeddedDevice, index: int, queue: int | None = None) -> None:
        self.device = device
        self.index = index
        self.queue = index if queue is None else queue
        self.read = native.copy_in

    def stands(self) -> Standing | None:
        """See ``Eye``."""
        ring, status = self.device.rings[self.index], self.device.status(self.index)
        if not status.attached:
            return None
        return Standing(ring.place, ring.event_idx, status.last_avail_idx, status.held, status.broken or "")

    def totals(self) -> Rates | None:
        """See ``Eye``."""
        count = self.device.counters(self.index)
        return Rates(
            self.queue, time.monotonic_ns(), count.chains, count.packets, count.bytes, count.kicks, count.calls,
            count.calls_saved, count.turns, count.dropped,
        )  # fmt: skip

    def packet(self) -> Packet | None:
        """See ``Eye``. Of a frame the first ``FRAME_MOST`` bytes are told."""
        found = self.device.last_packet(self.index)
        if found is None:
            return None
        length = self.device.rings[self.index].header_len
        header, frame = found[:length], found[length : length + FRAME_MOST]
        return Packet("out" if self.index == TX else "in", "port", frame.hex(), header.hex(), self.queue)


class Pace:
    """When to look next: ``asked`` times a second; half as often each second that the cores are busy (``yields``), down
    to ``HERTZ_BUSY``, or that it is late itself, down to ``HERTZ_LEAST``; and back again the same way."""

    def __init__(self, asked: float, yields: bool = True) -> None:
        self.asked = self.hertz = asked
        self._yields = yields
        self.begin()

    def begin(self) -> None:
        """Look an interval from now, and for a second yield to nobody."""
        self.hertz = self.asked
        self._due = self._judged = time.monotonic()
        self._late = 0.0
        self._idle, self._all = _ticks()

    def next(self) -> float:
        """When the next look is due (monotonic seconds). Looks that were missed are not made up for."""
        now = time.monotonic()
        self._late = max(self._late, now - self._due)
        if self._yields and now - self._judged >= JUDGED_SECONDS:
            self._judge(now)
        self._due = max(self._due + 1 / self.hertz, now)
        return self._due

    def _judge(self, now: float) -> None:
        idle, every = _ticks()
        busy, late = idle - self._idle < IDLE_SHARE * (every - self._all), self._late > 1 / self.hertz
        self._judged, self._late, self._idle, self._all = now, 0.0, idle, every
        if busy or late:
            least = min(self.hertz, HERTZ_LEAST if late else HERTZ_BUSY)
            self.hertz = max(least, self.hertz / 2)
        else:
            self.hertz = min(self.asked, self.hertz * 2)


def _ticks() -> tuple[int, int]:
    """Ticks all cores idled (idle and iowait), and all ticks, since the machine started [proc(5), /proc/stat]."""
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            numbers = [int(word) for word in stat.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return sum(numbers[3:5]), sum(numbers)


class Sampler:
    """Tells ``recorder`` a Sample of each of ``eyes()`` whenever its ring changed, and Rates while totals grow.

    ``hertz`` is how often it looks when the cores have time (``yields`` False: always); what it does now is ``pace``.
    Nothing is looked at, and the thread sleeps, while nobody wants it (:meth:`wanted`). ``around`` gives what else
    may have changed (the worker): it is asked once a second.
    """

    def __init__(
        self,
        eyes: Callable[[], Sequence[Eye]],
        recorder: Recorder,
        hertz: float = HERTZ_MOST,
        *,
        yields: bool = True,
        around: Callable[[], Sequence[AnyPayload]] = tuple,
    ) -> None:
        self._eyes = eyes
        self._recorder = recorder
        self._samples: dict[int, Sample] = {}
        self._totals: dict[int, tuple[Rates, int]] = {}
        self._wanted = self._packets = 0
        self._packet_due = self._around_due = 0.0
        self._around = around
        self._told: dict[type, AnyPayload] = {}
        self._ends = self._hurried = False
        self._change = threading.Condition()
        self._yields = yields
        self._pace = Pace(hertz, yields)
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    @property
    def pace(self) -> float:
        """Looks a second now."""
        return self._pace.hertz

    def set_rate(self, hertz: float) -> None:
        """Look so often, between ``HERTZ_LEAST`` and ``HERTZ_MOST``. Raises UsageError for anything else."""
        if not HERTZ_LEAST <= hertz <= HERTZ_MOST:
            raise UsageError(
                f"A ring cannot be looked at {hertz:g} times a second.",
                f"From {HERTZ_LEAST:g} to {HERTZ_MOST:g} times is possible.",
            )
        with self._change:
            self._pace = Pace(hertz, self._yields)
            self._change.notify()

    def wanted(self, on: bool) -> None:
        """One watcher more, who gets a sample of every ring, or one less."""
        with self._change:
            self._wanted += 1 if on else -1
            self._samples, self._totals, self._told = {}, {}, {}
            self._change.notify()

    def soon(self) -> None:
        """Something is about to be seen: look as often as asked for a second, however busy the cores."""
        with self._change:
            self._hurried = True
            self._change.notify()

    def packets(self, on: bool) -> None:
        """One more who wants to see packets, or one less."""
        with self._change:
            self._packets += 1 if on else -1

    def close(self) -> None:
        """End the thread and wait for it."""
        with self._change:
            self._ends = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        # In Linux a nice value is a thread's own [setpriority(2), C library/kernel differences].
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        try:
            while self._await():
                self.tick()
        except Exception as error:  # noqa: BLE001 - a thread that dies untold would look like a ring that rests
            self._recorder.emit(Error("Looking at the rings met an error of its own.", repr(error)), actor="tour")

    def _await(self) -> bool:
        """Wait until somebody watches and the next look is due; False when there is none any more."""
        with self._change:
            while not self._ends:
                if self._hurried or not self._wanted:
                    self._hurried = False
                    self._change.wait_for(lambda: self._ends or self._wanted)
                    self._pace.begin()
                left = self._pace.next() - time.monotonic()
                if not self._change.wait_for(lambda: self._ends or self._hurried or not self._wanted, left):
                    return True
            return False

    def _tell_around(self, now: float) -> None:
        if now < self._around_due:
            return
        self._around_due = now + AROUND_SECONDS
        for data in self._around():
            if self._told.get(type(data)) != data:
                self._told[type(data)] = data
                self._recorder.emit(data, actor="device", source="observer")

    def tick(self) -> None:
        """Look once at every ring. One whose memory is gone is passed over: whoever works on it says so."""
        now = time.monotonic()
        shows = self._packets and now >= self._packet_due
        self._packet_due = now + PACKET_SECONDS if shows else self._packet_due
        self._tell_around(now)
        eyes = self._eyes()
        for queue in self._samples.keys() - {eye.queue for eye in eyes}:
            self._stopped(queue)
        for eye in eyes:
            with contextlib.suppress(OSError):
                self._count(eye)
                self._look(eye)
            if shows and (packet := eye.packet()):
                self._recorder.emit(packet, actor="device", source="observer")

    def _look(self, eye: Eye) -> None:
        before = self._samples.get(eye.queue)
        sample = look(eye, before)
        if sample is not None:
            self._tell(sample)
        elif eye.stands() is None:
            self._stopped(eye.queue)

    def _tell(self, sample: Sample) -> None:
        self._samples[sample.queue] = sample
        self._recorder.emit(sample, actor="device", source="observer", inferred=True)

    def _stopped(self, queue: int) -> None:
        """Tell once that nobody works on the ring any more."""
        before = self._samples.get(queue)
        if before is not None and before.running:
            now = time.monotonic_ns()
            self._tell(replace(before, t_from=now, t_to=now, running=False))

    def _count(self, eye: Eye) -> None:
        """Tell the totals that grew; and for a while those that no longer do."""
        now = eye.totals()
        if now is None:
            return
        told, grown_at = self._totals.get(eye.queue, (None, now.t))
        if told is None or replace(now, t=told.t) != told:
            grown_at = now.t
        if now.t - grown_at <= AFTERGLOW:
            self._totals[eye.queue] = now, grown_at
            self._recorder.emit(now, actor="device", source="observer", inferred=not eye.exact)
