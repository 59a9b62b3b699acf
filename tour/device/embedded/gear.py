"""The Python gear: both rings' turns are taken in Python, each step told as it is taken. What lessons read.

A gear is what turns the rings of an embedded device: ``start`` makes its worker, ``stop`` ends it. The other one is in
``engine``.
"""

from __future__ import annotations

import threading
from typing import Literal, Protocol

from tour.device.contract import RX, TX
from tour.device.embedded.handle_rx import handle_rx
from tour.device.embedded.handle_tx import handle_tx
from tour.device.embedded.vring import Vring
from tour.device.embedded.worker import Worker
from tour.device.worker import WorkerThread
from tour.errors import RingError
from tour.trace.events import Broken, Error
from tour.trace.recorder import Recorder

Policy = Literal["kernel", "quarantine"]
_HANDLERS = {RX: handle_rx, TX: handle_tx}


class AnyWorker(Protocol):
    """The thread that takes the turns."""

    @property
    def shown(self) -> WorkerThread:
        """Who it is in /proc."""

    @property
    def idle(self) -> bool:
        """Whether it sleeps and nothing has happened that would wake it."""

    def end(self) -> bool:
        """End the thread. False when it did not end within 5 seconds."""


class Gear(Protocol):
    """Turns the two ``rings``. ``worker`` is None until ``start``."""

    rings: tuple[Vring, Vring]
    worker: AnyWorker | None

    def start(self) -> None:
        """Make the worker."""

    def stop(self) -> bool:
        """End the worker, if there is one. False when it did not end within 5 seconds."""

    def close(self) -> None:
        """Let go of everything."""


class PythonGear:
    """See ``Gear``. With a ``baton`` a whole turn holds it."""

    def __init__(self, recorder: Recorder, on_violation: Policy, baton: threading.Lock | None) -> None:
        self.recorder = recorder
        self.on_violation = on_violation
        self.baton = baton
        self.worker: AnyWorker | None = None
        self.rings = Vring(RX, recorder), Vring(TX, recorder)

    def start(self) -> None:
        """See ``Gear``."""
        worker = Worker(self._turn, self.baton, self._kicked)
        for ring in self.rings:
            ring.worker = worker
        self.worker = worker

    def stop(self) -> bool:
        """See ``Gear``."""
        worker, self.worker = self.worker, None
        ended = worker is None or worker.end()
        for ring in self.rings:
            ring.worker = None
        return ended

    def close(self) -> None:
        """See ``Gear``."""

    def _kicked(self, index: int) -> None:
        self.rings[index].tally.kicks += 1

    def _turn(self, index: int) -> bool:
        ring = self.rings[index]
        with ring.lock:
            if ring.worker and ring.port:
                ring.worker.rest_port(ring.port)
            try:
                return _HANDLERS[index](ring)
            except RingError as error:
                self._violated(ring, error)
            except Exception as error:  # noqa: BLE001 - a worker that dies would look like a device that sleeps
                self._failed(ring, error)
        return False

    def _violated(self, ring: Vring, error: RingError) -> None:
        ring.signal_error()
        if self.on_violation == "quarantine":
            ring.broken = error.reason
        self.recorder.emit(Broken(ring.index, error.reason, self.on_violation), actor="device")

    def _failed(self, ring: Vring, error: Exception) -> None:
        """A defect of ours: the ring is dead until detached, and everybody is told."""
        ring.signal_error()
        ring.broken = "defect"
        self.recorder.emit(Broken(ring.index, f"{type(error).__name__}: {error}", "quarantine"), actor="device")
        self.recorder.emit(Error("The embedded device met an error of its own.", repr(error)), actor="device")
