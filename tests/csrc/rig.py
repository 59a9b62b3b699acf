"""A driver of ours on the C engine: two rings in guest memory, doorbells, a thread that runs the engine, a port."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tour.abi.engine import Engine, EngineStatus
from tour.abi.names import Feature, word_of
from tour.memory.guest import GuestMemory
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring, Used

VERSION_1 = word_of(Feature.VIRTIO_F_VERSION_1)
MERGEABLE = word_of(Feature.VIRTIO_NET_F_MRG_RXBUF)
EVENT_IDX = word_of(Feature.VIRTIO_RING_F_EVENT_IDX)
INDIRECT = word_of(Feature.VIRTIO_RING_F_INDIRECT_DESC)
LOG_ALL = word_of(Feature.VHOST_F_LOG_ALL)
HEADER = 12
BUFFERS = (0x100000, 0x300000)
STRIDE = 0x1000
RX, TX = 0, 1
FRAME_MAX = 1514


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until ``condition`` holds; AssertionError after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing came of it in time"
        time.sleep(0.0005)


class Rig:
    """``port`` is the device's end; with None a socketpair is made, whose far end is ``peer``."""

    def __init__(
        self,
        features: int = VERSION_1,
        *,
        num: int = 256,
        base: int = 0,
        port: int | None = None,
        quarantine: bool = False,
        busy_poll_us: int = 0,
        memory: GuestMemory | None = None,
        frame_max: int = FRAME_MAX,
    ) -> None:
        self.features, self.num, self.frame_max = features | VERSION_1, num, frame_max
        self.memory = memory or GuestMemory([(0, 0x600000)])
        self.peer, self._near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.peer.settimeout(5)
        self.port = self._near.fileno() if port is None else port
        self.engine = Engine(busy_poll_us, quarantine)
        self.kicks, self.calls, self.errs = ([os.eventfd(0, os.EFD_NONBLOCK) for _ in range(2)] for _ in range(3))
        self.rings = [Ring(self.memory, plan(num, 0x1000 + 0x40000 * i), i) for i in range(2)]
        self.drivers = [DriverQueue(ring, self.features, kick=self._bell(i)) for i, ring in enumerate(self.rings)]
        self.news: list[int] = []
        self._thread: threading.Thread | None = None
        self.tell_table()
        for index, ring in enumerate(self.rings):
            self.drivers[index].set_base(base)
            self.engine.ring(index, num, ring.hva.desc, ring.hva.avail, ring.hva.used, self.features)
            self.engine.doorbells(index, self.kicks[index], self.calls[index], self.errs[index])

    def tell_table(self) -> None:
        """The engine's table is guest memory."""
        regions = self.memory.table.regions
        self.engine.table((r.gpa, r.gpa + r.size - 1, r.hva) for r in regions)

    def _bell(self, index: int) -> Callable[[], None]:
        return lambda: os.eventfd_write(self.kicks[index], 1)

    def attach(self, index: int, base: int = 0) -> None:
        """Begin on the port."""
        self.engine.attach(index, base, True, self.port, HEADER, HEADER, self.frame_max)

    def start(self) -> Self:
        """Attach both rings and run."""
        for index in (RX, TX):
            self.attach(index, self.drivers[index].avail_shadow)
        return self.run()

    def run(self) -> Self:
        """Have a thread inside the engine, which goes on after news."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def _work(self) -> None:
        while not (news := self.engine.run()) & 1:
            self.news.append(news)

    def stop(self) -> None:
        """Nobody is inside the engine afterwards."""
        thread, self._thread = self._thread, None
        if thread:
            self.engine.ask()
            thread.join(5)
            assert not thread.is_alive()

    def send(self, *frames: bytes, kick: bool = True) -> list[int]:
        """Offer each frame behind a header of zeros, publish all, kick if asked for. Returns the heads."""
        queue, heads = self.drivers[TX], []
        for frame in frames:
            gpa = BUFFERS[TX] + STRIDE * (queue.avail_shadow % self.num)
            self.memory.write(gpa, bytes(HEADER) + frame)
            heads.append(queue.add(out=[(gpa, HEADER + len(frame))]))
        queue.publish()
        if kick and queue.needs_kick():
            queue.kick()
        return heads

    def offer(self, count: int, size: int = 0x800) -> list[int]:
        """Offer ``count`` buffers to receive into. Returns the heads."""
        queue = self.drivers[RX]
        heads = []
        for _ in range(count):
            gpa = self.place(queue.avail_shadow)
            self.memory.fill(gpa, size, 0xEE)
            heads.append(queue.add(in_=[(gpa, size)]))
        queue.publish()
        if queue.needs_kick():
            queue.kick()
        return heads

    def place(self, at: int) -> int:
        """Where the buffer of available index ``at`` lies."""
        return BUFFERS[RX] + STRIDE * (at % self.num)

    def reaped(self, index: int, count: int) -> list[Used]:
        """Wait for ``count`` used elements."""
        got: list[Used] = []

        def some() -> bool:
            while (used := self.drivers[index].reap()) is not None:
                got.append(used)
            return len(got) >= count

        until(some)
        return got

    def status(self, index: int) -> EngineStatus:
        """Where a ring is."""
        return self.engine.status(index)

    def close(self) -> None:
        """Let go of everything."""
        self.stop()
        self.engine.close()
        for fd in (*self.kicks, *self.calls, *self.errs):
            os.close(fd)
        self.peer.close()
        self._near.close()
        self.memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
