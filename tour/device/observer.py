"""Looking at a device we cannot see inside: its half of a ring, its doorbells' counters, its private index.

What is told here was read from memory or came from the kernel; what happened between two looks is inferred
and says so. A device of ours that tells its own steps has told everything already, exactly: there the observer
looks and tells nothing.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tour.abi.names import VRING_USED_F_NO_NOTIFY, Feature
from tour.device.contract import TX, VhostDevice
from tour.device.fdinfo import eventfd_count
from tour.errors import TimedOut, errno_name
from tour.trace.events import Count, Private, Snapshot, Worker
from tour.trace.recorder import Recorder
from tour.virtqueue.event_idx import WRAP
from tour.virtqueue.ring import Ring

__all__ = ["RingObserver", "eventfd_count"]

POLL_SECONDS = 0.002
STILL_SECONDS = 0.2
"""How long nothing must move before we say 'still'."""
SETTLE_SECONDS = 0.03
"""How long a receive ring must look the same, its worker asleep and the port empty, to be called quiescent."""
TRIES = 1000


@dataclass
class _Known:
    """What the last look showed."""

    used_idx: int
    used_flags: int
    avail_event: int | None
    counts: dict[str, int] = field(default_factory=dict)
    worker: Worker | None = None
    last_avail_idx: int | None = None
    base_is_fresh: bool = False


class RingObserver:
    """Looks at ring ``ring.index`` of ``device``.

    ``doorbells`` maps ``kick``, ``call`` and ``err`` to our eventfds, never read here; ``port_fd`` is the
    backend socket, asked only whether a frame waits.
    """

    def __init__(
        self,
        device: VhostDevice,
        ring: Ring,
        doorbells: Mapping[str, int],
        recorder: Recorder,
        port_fd: int | None = None,
    ) -> None:
        self.device = device
        self.ring = ring
        self.doorbells = dict(doorbells)
        self.recorder = recorder
        self.port_fd = port_fd
        self.tells = not device.told
        first = self._read_twice()
        self._known = _Known(first.used_idx, first.used_flags, first.avail_event, self._read_counts())

    # --- single looks ---

    def look(self) -> bool:
        """Take a snapshot and read the counters; whether anything had moved since the last look."""
        moved = self._look_at_ring()
        return self._look_at_counts() or moved

    def _look_at_ring(self) -> bool:
        seen = self._read_twice()
        known = self._known
        words = (seen.used_idx, seen.used_flags, seen.avail_event)
        if words == (known.used_idx, known.used_flags, known.avail_event):
            return False
        known.used_idx, known.used_flags, known.avail_event = words
        known.base_is_fresh = False
        if self.tells:
            self.recorder.emit(seen, actor="device", source="observer", inferred=True)
        return True

    def _look_at_counts(self) -> bool:
        counts, before = self._read_counts(), self._known.counts
        self._known.counts = counts
        changed = [name for name in counts if counts[name] != before.get(name)]
        for name in changed if self.tells else ():
            seen = Count(self.ring.index, name, self.doorbells[name], counts[name])
            self.recorder.emit(seen, actor="device", source="observer")
        return bool(changed)

    def look_at_base(self) -> int:
        """last_avail_idx by VHOST_GET_VRING_BASE: an ioctl like any other, recorded with source observer.

        Raises OSError as the device does, NotImplementedError where the call would stop the ring.
        """
        if not self.device.probes_base:
            raise NotImplementedError(f"get_vring_base stops the ring on a {self.device.kind} device")
        base = self.device.get_vring_base(self.ring.index, source="observer")
        before, self._known.last_avail_idx = self._known.last_avail_idx, base
        self._known.base_is_fresh = True
        if self.tells and before != base:
            moved = Private(self.ring.index, "last_avail_idx", base if before is None else before, base)
            self.recorder.emit(moved, actor="device", source="observer")
        return base

    def look_at_worker(self) -> Worker | None:
        """State letter and CPU ticks of the device's worker, told when the letter changed; None if unknown."""
        thread = self.device.worker
        if thread is None:
            return None
        seen, before = thread.look(), self._known.worker
        self._known.worker = seen
        if before is None or before.state != seen.state:
            self.recorder.emit(seen, actor="device", source="observer")
        return seen

    def _read_counts(self) -> dict[str, int]:
        return {name: eventfd_count(fd) for name, fd in self.doorbells.items()}

    def _read_twice(self) -> Snapshot:
        """The device's half, read until two reads of idx and flags agree around the rest.

        Raises TimedOut when the device never pauses long enough.
        """
        for _ in range(TRIES):
            t_from = time.monotonic_ns()
            words = self.ring.load_used_idx(), self.ring.load_used_flags()
            avail_event = self.ring.load_avail_event() if self._event_idx else None
            used = self._new_entries(words[0])
            self.ring.full_barrier()
            if words == (self.ring.load_used_idx(), self.ring.load_used_flags()):
                return Snapshot(self.ring.index, t_from, time.monotonic_ns(), words[1], words[0], used, avail_event)
        raise TimedOut(f"Ring {self.ring.index} moved during each of {TRIES} looks.")

    @property
    def _event_idx(self) -> bool:
        return Feature.VIRTIO_RING_F_EVENT_IDX.on(self.device.acknowledged)

    def _new_entries(self, used_idx: int) -> list[list[int]]:
        known = getattr(self, "_known", None)
        start = known.used_idx if known else used_idx
        count = min((used_idx - start) % WRAP, self.ring.num)
        slots = [(used_idx - count + n) % WRAP for n in range(count)]
        return [[self.ring.slot(idx), *self.ring.read_used_entry(idx)] for idx in slots]

    # --- waiting on a condition ---

    def wait_quiescent(self, timeout: float = 5.0) -> str:
        """Look until the ring has come to rest and say how.

        ``quiescent``: transmit: last_avail_idx == avail.idx == used.idx, the device wants kicks and sleeps; receive:
        nothing changes, the worker sleeps, no frame waits at the port. ``still``: nothing moved for 200 ms.
        An errno's name: the device refused VHOST_GET_VRING_BASE. Raises TimedOut when it moved all the time.
        """
        begun = moved_at = time.monotonic()
        try:
            while True:
                now = time.monotonic()
                moved_at = now if self.look() else moved_at
                if ended := self._ended(now - moved_at):
                    return self._last_look(ended)
                if now - begun > timeout:
                    raise TimedOut(f"Ring {self.ring.index} was still moving after {timeout:g} seconds.")
                time.sleep(POLL_SECONDS)
        except OSError as error:
            return errno_name(error)

    def _ended(self, quiet: float) -> str:
        """The condition that holds after ``quiet`` seconds without movement, '' while none does."""
        if self._at_rest(quiet):
            return "quiescent"
        return "still" if quiet >= STILL_SECONDS else ""

    def _last_look(self, ended: str) -> str:
        """Before a wait ends: the worker's state, and the private index if the ring moved since it was read."""
        self.look_at_worker()
        if not self._known.base_is_fresh and self.device.probes_base:
            self.look_at_base()
        return ended

    def _at_rest(self, quiet: float) -> bool:
        if self.ring.index == TX:
            return self._transmit_at_rest()
        return quiet >= SETTLE_SECONDS and not self._frame_waits() and self.device.asleep()

    def _transmit_at_rest(self) -> bool:
        avail_idx = self.ring.load_avail_idx()
        if avail_idx != self._known.used_idx or not self._kicks_wanted(avail_idx) or not self.device.asleep():
            return False
        # The last look is older than the base: only if nothing moved since do the three belong together.
        return self.look_at_base() == avail_idx and not self.look()

    def _kicks_wanted(self, avail_idx: int) -> bool:
        if self._event_idx:
            return self._known.avail_event == avail_idx
        return not self._known.used_flags & VRING_USED_F_NO_NOTIFY

    def _frame_waits(self) -> bool:
        if self.port_fd is None:
            return False
        poll = select.poll()
        poll.register(self.port_fd, select.POLLIN)
        return bool(poll.poll(0))
