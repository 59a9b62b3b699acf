"""One ring of the embedded device: what control told it, and the device queue while it is attached."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from tour.abi.names import VHOST_PAGE_SIZE, Feature
from tour.device.contract import RingAddresses
from tour.device.embedded import checks
from tour.device.embedded.counters import Counters, Status, Tally
from tour.device.embedded.files import FRAME_LIMIT, Doorbell, Port
from tour.device.embedded.worker import Worker
from tour.errors import RingError, RingFault
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable, Span
from tour.trace.events import Action, Call, Count, Packet
from tour.trace.recorder import Recorder, here
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Ring

PAGE = 4096
LOG_ALL = Feature.VHOST_F_LOG_ALL
SUPPLIES_HEADER = Feature.VHOST_NET_F_VIRTIO_NET_HDR
MERGEABLE = Feature.VIRTIO_NET_F_MRG_RXBUF


class Vring:
    """``index`` 0 receives, 1 transmits. ``lock`` is held for a whole turn and for each call on the ring,
    as the kernel's vq->mutex is."""

    def __init__(self, index: int, recorder: Recorder, lock: AbstractContextManager[object] | None = None) -> None:
        self.index = index
        self.recorder = recorder
        self.lock = lock or threading.RLock()
        self.worker: Worker | None = None
        self.kick: Doorbell | None = None
        self.call: Doorbell | None = None
        self.err: Doorbell | None = None
        self.log_fd: Doorbell | None = None
        self.tally = Tally()
        self.make: Callable[[Ring, MemoryTable, int], DeviceQueue] = DeviceQueue
        """What its device queue is made by."""
        self.reset()

    def reset(self) -> None:
        """As fresh from open (vhost_vq_reset). Doorbells and the port are let go of."""
        for held in (self.kick, self.call, self.err):
            if held:
                held.close()
        self.kick = self.call = self.err = self.log_fd = None
        self.num = 1
        self.where = RingAddresses(0, 0, 0)
        self.base = 0
        self.features = 0
        self.kicks_wanted = True
        self.table: MemoryTable | None = None
        self.log: LogBitmap | None = None
        self.port: Port | None = None
        self.queue: DeviceQueue | None = None
        self.broken: str | None = None
        self._used_writable = False
        self._may_write: dict[tuple[int, int], bool] = {}

    # --- what control asks ---

    @property
    def place(self) -> RingLayout:
        """Size and addresses (HVAs) as told."""
        return RingLayout(self.num, self.where.desc, self.where.avail, self.where.used)

    @property
    def event_idx(self) -> bool:
        """Whether EVENT_IDX was acknowledged."""
        return Feature.VIRTIO_RING_F_EVENT_IDX.on(self.features)

    @property
    def log_hva(self) -> int:
        """Where the dirty log lies, 0 before it is told."""
        return self.log.hva if self.log else 0

    def next_avail(self) -> int:
        """What GET_VRING_BASE returns: the next avail entry to read, between two turns."""
        with self.lock:
            return self.queue.last_avail_idx if self.queue else self.base

    @property
    def counters(self) -> Counters:
        """Running totals."""
        return self.tally.counters

    @property
    def status(self) -> Status:
        """Where it is now."""
        queue = self.queue
        if queue is None:
            return Status(self.base, 0, 0, False, self.broken, self.kicks_wanted, self.tally.held)
        return Status(
            queue.last_avail_idx, queue.avail_seen, queue.used_shadow, True, self.broken, queue.kicks_wanted,
            self.tally.held,
        )  # fmt: skip

    def hold(self, on: bool) -> None:
        """Take no chain any more but released ones, or all again; a turn that is under way is waited for, as it may
        be about to take one."""
        with self.lock:
            self.tally.held, self.tally.released = on, 0
        if self.worker:
            self.worker.queue(self.index)

    def release(self, n: int) -> None:
        """Let ``n`` chains more be taken."""
        self.tally.released += n
        if self.worker:
            self.worker.queue(self.index)

    def last_packet(self, want: bool) -> bytes | None:
        """See ``EmbeddedDevice.last_packet``."""
        return self.tally.take_last(want)

    def access_ok(self) -> bool:
        """Whether the ring may start (vhost_vq_access_ok)."""
        log_all = LOG_ALL.on(self.features)
        if not checks.table_access_ok(self.table, self.log_hva, log_all=log_all):
            return False
        if not self.used_log_ok(self.where, self.log_hva):
            return False
        return checks.ring_access_ok(self.place, event_idx=self.event_idx)

    def used_log_ok(self, where: RingAddresses, log: int) -> bool:
        """Whether writes to the used ring could be logged (vq_log_used_access_ok)."""
        size = self.place.used_size - (0 if self.event_idx else 2)
        return not where.flags or checks.log_access_ok(log, where.log_gpa, size)

    # --- attached and detached ---

    def attach(self, port: Port) -> None:
        """Begin on ``port``: rewrite used.flags, take used.idx from memory (vhost_vq_init_access). The caller has seen
        that the used ring's first words are there; OSError EFAULT when they are gone again."""
        self.detach()
        queue = self._queue()
        queue.ring.recorder = self.recorder
        queue.attach(self.base, self.kicks_wanted)
        self.port, self.queue, self.broken = port, queue, None
        self.rearm()
        if self.worker and not port.polled:
            # Nobody will say that such a port is ready, and a kick from before may have come to nothing.
            self.worker.queue(self.index)

    def detach(self) -> None:
        """Stop: remember where we were, let go of the port."""
        port, self.port = self.port, None
        if port and self.worker:
            self.worker.drop_port(port)
        if port:
            self.tally.dropped += port.pending is not None
            port.close()
        if self.queue:
            self.base, self.kicks_wanted = self.queue.last_avail_idx, self.queue.kicks_wanted
        self.queue, self.broken = None, None

    def refit(self) -> None:
        """Control changed addresses, features, memory or log under a running ring: go on where we were."""
        before = self.queue
        if before is None:
            return
        queue = self._queue()
        queue.last_avail_idx, queue.avail_seen = before.last_avail_idx, before.avail_seen
        queue.used_shadow, queue.signalled_used = before.used_shadow, before.signalled_used
        queue.kicks_wanted = before.kicks_wanted
        queue.ring.recorder = self.recorder
        self.queue = queue

    def _queue(self) -> DeviceQueue:
        table = self.table or MemoryTable(())
        queue = self.make(Ring.at(self.place, table, self.index), table, self.features)
        if self.where.flags and self.log and self._log_usable():
            end = self.where.log_gpa + self.place.used_size
            queue.ring.log = self.log if end <= self.log.size * 8 * VHOST_PAGE_SIZE else None
            queue.ring.log_gpa = self.where.log_gpa
        self._used_writable = checks.writable(self.where.used, 4 + 8 * self.num)
        self._may_write.clear()
        return queue

    def _log_usable(self) -> bool:
        """Whether the dirty log is really there: the kernel would get EFAULT, we would crash."""
        return self.log is not None and checks.writable(self.log.hva, self.log.size)

    def rewire(self, before: Doorbell | None = None) -> None:
        """The ring's doorbells are others now; ``before`` was the kick until now."""
        if self.worker is None or self.kick is before:
            return
        if before:
            self.worker.drop_kick(before)
        if self.kick:
            self.worker.watch_kick(self.index, self.kick)

    # --- what the handlers ask ---

    def rearm(self) -> None:
        """Have the worker say when the port is ready (vhost_net_enable_vq). A dead port is ready all the time: who
        waited for it would never sleep. A kick still tries."""
        if self.worker and self.port and self.port.polled and not self.port.broken:
            self.worker.watch_port(self.index, self.port)

    def turn(self) -> tuple[DeviceQueue, Port] | None:
        """Queue and port when there is something to work on, None while stopped, broken or held.

        Raises RingError(BAD_ADDRESS) when the ring itself is not mapped.
        """
        if self.queue is None or self.port is None or self.broken or not self.tally.may_take():
            return None
        self.tally.turns += 1
        place = self.place
        # The event words count only with EVENT_IDX; without it the last two bytes may be missing.
        spare = 0 if self.event_idx else 2
        parts = (place.avail, place.avail_size - spare), (place.desc, place.desc_size)
        for hva, size in (*parts, (place.used, place.used_size - spare)):
            if not self._used_writable or not checks.readable(hva, size):
                raise RingError(RingFault.BAD_ADDRESS, self.index, 0, hva)
        return self.queue, self.port

    def may_write(self, span: Span) -> bool:
        """Whether a buffer is mapped for writing, as far as a frame may reach into it.

        Its pages' rights are looked up once, their presence always.
        """
        size = min(span.size, FRAME_LIMIT)
        pages = span.hva // PAGE, (span.hva + size - 1) // PAGE
        if pages not in self._may_write:
            self._may_write[pages] = checks.writable(span.hva, size)
        return self._may_write[pages] and checks.readable(span.hva, size)

    @property
    def header_len(self) -> int:
        """Bytes of virtio_net_hdr before each packet in the ring (vhost_net_set_features)."""
        return 12 if MERGEABLE.on(self.features) or Feature.VIRTIO_F_VERSION_1.on(self.features) else 10

    @property
    def port_header_len(self) -> int:
        """Bytes of it that the port is taken to carry: none when vhost supplies the header itself."""
        return 0 if SUPPLIES_HEADER.on(self.features) else self.header_len

    def complete(self, count: int) -> None:
        """Hand ``count`` filled entries over and tell the driver, if it wants to be told."""
        if not count or self.queue is None:
            return
        self.queue.flush(count)
        self.tally.chains += count
        if self.where.flags and self.log_fd:
            self.log_fd.ring()
        if self.call and not self.queue.needs_call():
            self.tally.calls_saved += 1
        elif self.call:
            self.tally.calls += 1
            self.call.ring()
            event = Call(self.index, self.call.number, self.call.count)
            self.recorder.emit(event, actor="device", frame=here(), above="call.ring")
            self.recorder.emit(Action("call", self.index), actor="device", frame=here(), above="call.ring")

    def wrote(self, gpa: int, size: int) -> None:
        """Note written guest memory in the dirty log, when that is on (vhost_log_write)."""
        if self.log and LOG_ALL.on(self.features) and self._log_usable():
            with contextlib.suppress(IndexError):
                self.log.set(gpa, size)
            if self.log_fd:
                self.log_fd.ring()

    def signal_error(self) -> None:
        """Ring the err doorbell, if there is one (vq_err)."""
        if self.err:
            self.err.ring()
            count = Count(self.index, "err", self.err.number, self.err.count)
            self.recorder.emit(count, actor="device")

    def saw(self, direction: str, verb: str, header: bytes, frame: bytes) -> None:
        """Record a packet at the port, and the verb that moved it."""
        self.tally.moved(header, frame)
        line = here(2)
        packet = Packet(direction, "port", frame.hex(), header.hex(), self.index)
        self.recorder.emit(packet, actor="device", frame=line, above="port.")
        self.recorder.emit(Action(verb, self.index, {"len": len(frame)}), actor="device", frame=line, above="port.")
