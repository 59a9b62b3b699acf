"""The embedded device: the contract's calls, each as the kernel's drivers/vhost of 6.1 takes it."""

from __future__ import annotations

import errno
import os
import threading
from typing import ClassVar, Literal

from tour.abi import native
from tour.abi.names import Feature, word_of
from tour.device.contract import Backend, RingAddresses, VhostDevice
from tour.device.embedded import checks
from tour.device.embedded.counters import Counters, Status
from tour.device.embedded.engine import EngineGear
from tour.device.embedded.files import Doorbell, Port, open_port
from tour.device.embedded.gear import Gear, Policy, PythonGear
from tour.device.embedded.vring import LOG_ALL, Vring
from tour.device.embedded.worker import Worker
from tour.device.worker import WorkerThread
from tour.memory.dirty import LogBitmap
from tour.memory.table import MemoryTable
from tour.trace.events import Error, Opened
from tour.trace.recorder import Recorder

Turner = Literal["python", "engine"]
OFFERED = word_of(
    Feature.VIRTIO_NET_F_MRG_RXBUF,
    Feature.VIRTIO_F_NOTIFY_ON_EMPTY,
    Feature.VHOST_F_LOG_ALL,
    Feature.VHOST_NET_F_VIRTIO_NET_HDR,
    Feature.VIRTIO_RING_F_INDIRECT_DESC,
    Feature.VIRTIO_RING_F_EVENT_IDX,
    Feature.VIRTIO_F_VERSION_1,
)
"""What 6.1 offers without ACCESS_PLATFORM: there is no IOTLB here."""


class EmbeddedDevice(VhostDevice):
    """vhost-net in this process: works on addresses of this process with a thread named ``vhost-<tid>``.

    ``gear``: ``python`` takes every step in Python and tells it; ``engine`` runs them in C, at speed and untold: who
    wants to see them looks at the ring. ``busy_poll_us``: how long the engine looks on before it sleeps.
    With a ``baton`` (``stepped`` makes one) the worker holds that lock for a whole turn, so that one actor runs
    at a time. ``on_violation`` says what a broken rule leads to: ``kernel``: the err doorbell rings and the ring
    rests until the next kick; ``quarantine``: it rings and the ring is dead until its backend socket is
    detached. ``pipes`` also takes pipes as doorbells, which the kernel does not. ``io_uring``: whether the engine may
    move many frames in one system call.
    Raises CapabilityMissing('embedded') without the compiled part.
    """

    kind: ClassVar[str] = "embedded"
    capabilities: ClassVar[frozenset[str]] = frozenset({"reset_owner"})

    def __init__(
        self,
        recorder: Recorder | None = None,
        *,
        gear: Turner = "python",
        stepped: bool = False,
        on_violation: Policy = "kernel",
        baton: threading.Lock | None = None,
        pipes: bool = False,
        busy_poll_us: int = 0,
        io_uring: bool = True,
    ) -> None:
        super().__init__(recorder)
        native.lib()
        self.gear = gear
        self.told = gear == "python"
        self.on_violation = on_violation
        self.baton = baton or (threading.Lock() if stepped else None)
        self._turner: Gear = (
            PythonGear(self.recorder, on_violation, self.baton)
            if gear == "python"
            else EngineGear(self.recorder, on_violation, self.baton, busy_poll_us, io_uring)
        )
        self.rings = self._turner.rings
        self._pipes = pipes
        self._owner: int | None = None
        self._log_fd: Doorbell | None = None
        self._adopted: frozenset[int] = frozenset()
        self.recorder.emit(Opened(self.kind), actor="control")

    @property
    def worker(self) -> WorkerThread | None:
        """The worker thread, None before set_owner."""
        worker = self._turner.worker
        return worker.shown if worker else None

    def asleep(self) -> bool:
        """Whether the worker sleeps and nothing waits to wake it."""
        worker = self._turner.worker
        return worker is None or worker.idle

    def wakes(self) -> int | None:
        """How often the worker has woken, by its own count; None where it keeps none (the engine, no worker)."""
        worker = self._turner.worker
        return worker.wakes if isinstance(worker, Worker) else None

    # --- looking on, from any thread at any time; ``index`` 0 or 1 ---

    def counters(self, index: int) -> Counters:
        """Running totals of ring ``index``: a rate is the difference of two."""
        return self.rings[index].counters

    def status(self, index: int) -> Status:
        """Where ring ``index`` is, and whether it is attached, broken, held."""
        return self.rings[index].status

    def broken(self, index: int) -> str | None:
        """Why ring ``index`` is dead until its backend socket is detached, None while it is not."""
        return self.rings[index].status.broken

    def hold(self, index: int, on: bool) -> None:
        """Slow motion: while on, the worker takes no chain of ring ``index`` but those of :meth:`release`."""
        self.rings[index].hold(on)

    def release(self, index: int, n: int = 1) -> None:
        """Let the worker take ``n`` chains more of a held ring."""
        self.rings[index].release(n)

    def last_packet(self, index: int, want: bool = True) -> bytes | None:
        """The packet, header first, that went through after the last call with ``want``; None when none has.

        ``want`` asks for a copy of the next one. Nothing is copied for nobody.
        """
        return self.rings[index].last_packet(want)

    def start(self, index: int, port: Backend) -> None:
        """See the contract. A port of ours that is no tap (a socketpair) is taken too, labelled as such by it."""
        self._adopted |= {port.fileno()}
        super().start(index, port)

    def close(self) -> None:
        """Stop both rings, end the worker (5 seconds at most), let go of every descriptor."""
        self._release()
        self._owner = None
        self._turner.close()

    # --- before and after owning ---

    def _get_features(self) -> int:
        return OFFERED

    def _set_features(self, features: int) -> None:
        if features & ~OFFERED:
            raise checks.refuse(errno.EOPNOTSUPP, f"features {features & ~OFFERED:#x}")
        if LOG_ALL.on(features):
            self._check_log_all()
        for ring in self.rings:
            with ring.lock:
                ring.features = features
                ring.refit()

    def _check_log_all(self) -> None:
        for ring in self.rings:
            with ring.lock:
                if ring.port and not checks.table_access_ok(ring.table, ring.log_hva, log_all=True):
                    raise checks.refuse(errno.EFAULT, "the dirty log cannot hold the memory table")

    def _set_owner(self) -> None:
        if self._owner is not None:
            raise checks.refuse(errno.EBUSY, "there is an owner")
        self._owner = os.getpid()
        self._turner.start()

    def _reset_owner(self) -> None:
        self._check_owner()
        self._release()
        self._owner = None
        for ring in self.rings:
            ring.table = MemoryTable(())

    def _release(self) -> None:
        for ring in self.rings:
            with ring.lock:
                ring.detach()
        if not self._turner.stop():
            self.recorder.emit(Error("The worker did not end within 5 seconds."), actor="device")
        for ring in self.rings:
            with ring.lock:
                ring.reset()
        if self._log_fd:
            self._log_fd.close()
        self._log_fd = None

    def _check_owner(self) -> None:
        if self._owner != os.getpid():
            raise checks.refuse(errno.EPERM, "only the owner may")

    def _ring(self, index: int) -> Vring:
        self._check_owner()
        if index >= len(self.rings):
            raise checks.refuse(errno.ENOBUFS, f"ring {index}")
        return self.rings[index]

    # --- memory ---

    def _set_mem_table(self, table: MemoryTable) -> None:
        self._check_owner()
        taken = checks.kernel_table(table)
        for ring in self.rings:
            with ring.lock:
                log_all = LOG_ALL.on(ring.features)
                if ring.port and not checks.table_access_ok(taken, ring.log_hva, log_all=log_all):
                    raise checks.refuse(errno.EFAULT, "a region lies where no process can")
        for ring in self.rings:
            with ring.lock:
                ring.table = taken
                ring.refit()

    def _set_log_base(self, log: LogBitmap) -> None:
        self._check_owner()
        refused = False
        for ring in self.rings:
            with ring.lock:
                if ring.port and not self._log_ok(ring, log.hva):
                    refused = True
                    continue
                ring.log = log
                ring.refit()
        if refused:
            raise checks.refuse(errno.EFAULT, "the dirty log cannot hold the memory table")

    def _log_ok(self, ring: Vring, log: int) -> bool:
        log_all = LOG_ALL.on(ring.features)
        return checks.table_access_ok(ring.table, log, log_all=log_all) and ring.used_log_ok(ring.where, log)

    def _set_log_fd(self, fd: int) -> None:
        self._check_owner()
        doorbell = self._doorbell(fd)
        before, self._log_fd = self._log_fd, doorbell
        for ring in self.rings:
            with ring.lock:
                ring.log_fd = doorbell
                ring.refit()
        if before:
            before.close()

    # --- rings ---

    def _set_vring_num(self, index: int, num: int) -> None:
        ring = self._ring(index)
        with ring.lock:
            self._check_stopped(ring)
            checks.check_num(num)
            ring.num = num

    def _set_vring_base(self, index: int, num: int) -> None:
        ring = self._ring(index)
        with ring.lock:
            self._check_stopped(ring)
            if num > 0xFFFF:
                raise checks.refuse(errno.EINVAL, f"base {num}")
            ring.base = num

    def _check_stopped(self, ring: Vring) -> None:
        if ring.port:
            raise checks.refuse(errno.EBUSY, f"ring {ring.index} is attached")

    def _get_vring_base(self, index: int) -> int:
        ring = self._ring(index)
        return ring.next_avail()

    def _set_vring_addr(self, index: int, where: RingAddresses) -> None:
        ring = self._ring(index)
        with ring.lock:
            checks.check_addresses(where)
            if ring.port:
                before, ring.where = ring.where, where
                if not checks.ring_access_ok(ring.place, event_idx=ring.event_idx) or not ring.used_log_ok(
                    where, ring.log_hva
                ):
                    ring.where = before
                    raise checks.refuse(errno.EINVAL, "a ring part lies where no process can")
            ring.where = where
            ring.refit()

    # --- doorbells ---

    def _doorbell(self, fd: int) -> Doorbell | None:
        return None if fd == -1 else Doorbell(fd, pipes=self._pipes)

    def _set_vring_kick(self, index: int, fd: int) -> None:
        ring = self._ring(index)
        doorbell = self._doorbell(fd)
        with ring.lock:
            before, ring.kick = ring.kick, doorbell
            ring.rewire(before)
        if before:
            before.close()

    def _set_vring_call(self, index: int, fd: int) -> None:
        ring = self._ring(index)
        doorbell = self._doorbell(fd)
        with ring.lock:
            before, ring.call = ring.call, doorbell
            ring.rewire(ring.kick)
        if before:
            before.close()

    def _set_vring_err(self, index: int, fd: int) -> None:
        ring = self._ring(index)
        doorbell = self._doorbell(fd)
        with ring.lock:
            before, ring.err = ring.err, doorbell
            ring.rewire(ring.kick)
        if before:
            before.close()

    # --- the backend socket ---

    def _net_set_backend(self, index: int, fd: int) -> None:
        ring = self._ring(index)
        with ring.lock:
            if not ring.access_ok():
                raise checks.refuse(errno.EFAULT, f"ring {index} is not set up")
            if fd == -1:
                ring.detach()
                return
            port = open_port(fd, self._adopted)
            if ring.port and (ring.port.number, ring.port.name) == (port.number, port.name):
                port.close()
                return
            self._attach(ring, port)

    def _attach(self, ring: Vring, port: Port) -> None:
        try:
            # Pages may be mapped and yet not be there: their file may have shrunk.
            if not checks.writable(ring.where.used, 4) or not checks.readable(ring.where.used, 4):
                raise checks.refuse(errno.EFAULT, "the used ring is not mapped for writing")
            if port.broken:
                raise checks.refuse(errno.EINVAL, "the link behind the tap is gone")
            ring.attach(port)
        except OSError:
            port.close()
            raise
