"""The engine in the embedded device: a ring whose turns are taken in C, and the thread that takes them.

Control is the same as for the Python gear (``device``, ``checks``); what it decides is handed on here, always while
the worker is outside the engine. The engine tells nothing of its steps: faults and totals are asked of it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from tour.abi.engine import ASKED, Engine
from tour.abi.names import VHOST_PAGE_SIZE
from tour.device.contract import RX, TX
from tour.device.embedded.counters import Counters, Status
from tour.device.embedded.files import FRAME_LIMIT, Doorbell, Port
from tour.device.embedded.gear import AnyWorker, Policy
from tour.device.embedded.pause import Pause
from tour.device.embedded.vring import Vring
from tour.device.embedded.worker import JOIN_SECONDS
from tour.device.worker import WorkerThread
from tour.errors import RingError, RingFault
from tour.memory.table import MemoryTable
from tour.trace.events import Broken, Count
from tour.trace.recorder import Recorder

FAULTS = (
    RingFault.AVAIL_JUMP, RingFault.HEAD_RANGE, RingFault.NEXT_RANGE, RingFault.CHAIN_LOOP, RingFault.BAD_ADDRESS,
    RingFault.INDIRECT_SIZE, RingFault.INDIRECT_NESTED, RingFault.INDIRECT_NEXT, RingFault.INDIRECT_OFF,
    RingFault.READ_AFTER_WRITE, RingFault.TOO_MANY, RingFault.WRONG_DIRECTION, RingFault.TOO_SHORT,
)  # fmt: skip
"""enum vt_fault (csrc/queue.h), from 1 on."""


def _fd(doorbell: Doorbell | None) -> int:
    return doorbell.fd if doorbell else -1


class EngineVring(Vring):
    """A ring that ``engine`` turns. ``pause`` is its lock: both rings share the one worker."""

    def __init__(self, index: int, recorder: Recorder, engine: Engine, pause: Pause) -> None:
        self.engine = engine
        self._headers = 0, 0
        super().__init__(index, recorder, pause)

    def reset(self) -> None:
        """See ``Vring``; the engine lets go of the doorbells first."""
        if not self.engine.closed:
            self.engine.doorbells(self.index, -1, -1, -1)
        super().reset()

    def next_avail(self) -> int:
        """The next avail entry to read; the engine need not stop to be asked."""
        return self.status.last_avail_idx if self.port else self.base

    @property
    def counters(self) -> Counters:
        """Running totals."""
        return Counters(**self.engine.counts(self.index)._asdict())

    @property
    def status(self) -> Status:
        """Where it is now."""
        seen = self.engine.status(self.index)
        broken = (self.broken or FAULTS[seen.fault - 1].value) if seen.broken else None
        idx = seen.last_avail_idx if seen.attached else self.base
        words = (idx, seen.avail_seen, seen.used_shadow) if seen.attached else (idx, 0, 0)
        return Status(*words, bool(seen.attached), broken, bool(seen.kicks_wanted), bool(seen.held))

    def fault(self) -> RingError:
        """The last fault, as the engine has it."""
        seen = self.engine.status(self.index)
        return RingError(FAULTS[seen.fault - 1], self.index, seen.fault_at, seen.fault_value)

    def hold(self, on: bool) -> None:
        """See ``Vring``."""
        with self.lock:
            self.engine.hold(self.index, on)

    def release(self, n: int) -> None:
        """See ``Vring``."""
        self.engine.release(self.index, n)

    def last_packet(self, want: bool) -> bytes | None:
        """See ``Vring``."""
        return self.engine.last_packet(self.index, want)

    def attach(self, port: Port) -> None:
        """See ``Vring``."""
        self.detach()
        self._tell()
        self._begin(port)
        self.port, self.broken = port, None

    def _begin(self, port: Port) -> None:
        carried = self.port_header_len if port.exact and self.index == TX else port.header_len
        fd = port.fd if port.polled else -1
        self._headers = self.header_len, self.port_header_len
        self.engine.attach(self.index, self.base, self.kicks_wanted, fd, self.header_len, carried, FRAME_LIMIT)

    def detach(self) -> None:
        """See ``Vring``; what is in flight is done before."""
        port, self.port = self.port, None
        if port is None:
            return
        self._end()
        self.broken = None
        port.close()

    def _end(self) -> None:
        self.base = self.engine.detach(self.index)
        self.kicks_wanted = bool(self.engine.status(self.index).kicks_wanted)

    def refit(self) -> None:
        """See ``Vring``. What header there is the engine learns as it begins: with another one it begins anew."""
        if self.port is None:
            return
        self._tell()
        if self._headers != (self.header_len, self.port_header_len):
            self._end()
            self._begin(self.port)

    def rewire(self, before: Doorbell | None = None) -> None:
        """See ``Vring``."""
        self.engine.doorbells(self.index, _fd(self.kick), _fd(self.call), _fd(self.err))

    def _tell(self) -> None:
        """All the engine has to know of the ring, as control has it now."""
        table, place = self.table or MemoryTable(()), self.place
        self.engine.table((r.gpa, r.gpa + r.size - 1, r.hva) for r in table.regions)
        self.engine.ring(self.index, place.num, place.desc, place.avail, place.used, self.features)
        log = self.log if self._log_usable() else None
        end = self.where.log_gpa + place.used_size
        used = log is not None and bool(self.where.flags) and end <= log.size * 8 * VHOST_PAGE_SIZE
        at, size = (log.hva, log.size) if log else (0, 0)
        self.engine.log(self.index, at, size, self.where.log_gpa, used, _fd(self.log_fd))


class EngineWorker:
    """The thread that is inside the engine. ``fault(index)`` is called there, outside, when a ring has one to tell."""

    def __init__(self, engine: Engine, pause: Pause, fault: Callable[[int], None]) -> None:
        self._engine = engine
        self._pause = pause
        self._fault = fault
        self._ending = False
        self._named = threading.Event()
        self.name = f"vhost-{threading.get_native_id()}"
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        self._named.wait()

    @property
    def shown(self) -> WorkerThread:
        """Who it is in /proc."""
        return WorkerThread(self.name, self._thread.native_id or 0, "ours")

    @property
    def idle(self) -> bool:
        """Whether it sleeps and nothing has happened that would wake it."""
        return self._engine.idle()

    def end(self) -> bool:
        """End the thread. False when it did not end within 5 seconds."""
        self._ending = True
        self._engine.ask()
        self._thread.join(JOIN_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(self.name[:15])
        self._named.set()
        while not self._ending:
            self._pause.enter()
            try:
                news = self._engine.run()
            finally:
                self._pause.leave()
            for index in (RX, TX):
                if news & ASKED << 1 + index:
                    self._fault(index)


class EngineGear:
    """See ``Gear``. Faults are told by the worker's thread, with the ``baton`` held if there is one."""

    def __init__(
        self, recorder: Recorder, on_violation: Policy, baton: threading.Lock | None, busy_poll_us: int,
        io_uring: bool = True,
    ) -> None:  # fmt: skip
        self.recorder = recorder
        self.on_violation = on_violation
        self.baton = baton
        self.worker: AnyWorker | None = None
        self.engine = Engine(busy_poll_us, on_violation == "quarantine")
        if not io_uring:
            self.engine.plain()
        self.pause = Pause(self.engine.ask)
        self._rings = tuple(EngineVring(index, recorder, self.engine, self.pause) for index in (RX, TX))
        self.rings: tuple[Vring, Vring] = self._rings[0], self._rings[1]

    def start(self) -> None:
        """See ``Gear``."""
        self.worker = EngineWorker(self.engine, self.pause, self._fault)

    def stop(self) -> bool:
        """See ``Gear``."""
        worker, self.worker = self.worker, None
        return worker is None or worker.end()

    def close(self) -> None:
        """See ``Gear``."""
        self.engine.close()

    def _fault(self, index: int) -> None:
        """Tell the ring's fault; the engine has rung the err doorbell."""
        ring = self._rings[index]
        error = ring.fault()
        with self.baton or contextlib.nullcontext():
            with ring.lock:
                if ring.err:
                    seen = Count(index, "err", ring.err.number, ring.err.count)
                    self.recorder.emit(seen, actor="device")
            self.recorder.emit(Broken(index, error.reason, self.on_violation), actor="device")
