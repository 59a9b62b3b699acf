"""A driver with both rings of one queue pair over vhost-user: guest memory, doorbells, and a front end of ours."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, RingAddresses
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.errors import TimedOut
from tour.memory.guest import GuestMemory
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import RingLayout
from tour.virtqueue.ring import Ring

FEATURES = word_of(Feature.VIRTIO_F_VERSION_1, Feature.VIRTIO_NET_F_MRG_RXBUF)
RING_AT = {RX: 0x0000, TX: 0x8000}
BUFFERS = 0x40000
LAYOUT = ((0, 0x20000), (BUFFERS, 0x80000))
NUM = 8
PATIENCE = 5.0
T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = PATIENCE) -> T:
    """``what()`` as soon as it is true. Raises TimedOut."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise TimedOut("The back-end did not do in time what it must.")
        time.sleep(0.002)
    return found


class Driver:
    """Both rings of 8 slots of the back-end on ``path``, indices beginning at ``base``. Raises as VhostUserDevice."""

    def __init__(self, path: Path, features: int = FEATURES, base: int = 0) -> None:
        self._stack = ExitStack()
        self.memory = self._stack.enter_context(GuestMemory(LAYOUT))
        try:
            self.device = VhostUserDevice(str(path))
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self.device.close)
        self.features = features
        self.base = base
        self.rings = {
            index: Ring(self.memory, RingLayout(NUM, gpa, gpa + 16 * NUM, gpa + 0x4000), index)
            for index, gpa in RING_AT.items()
        }
        self.queues = {index: DriverQueue(ring, features) for index, ring in self.rings.items()}
        self.bells = {index: {name: self._bell() for name in ("kick", "call", "err")} for index in RING_AT}
        for queue in self.queues.values():
            queue.set_base(base)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bell(self) -> int:
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stack.callback(os.close, fd)
        return fd

    def close(self) -> None:
        """Leave, and let go of all."""
        self._stack.close()

    # --- control ---

    def begin(self) -> None:
        """All that comes before the rings."""
        self.device.set_owner()
        self.device.set_features(self.features)
        self.device.set_mem_table(self.memory.table)

    def set_up(self) -> None:
        """Everything up to running rings."""
        self.begin()
        for index in (RX, TX):
            self.tell(index, self.base)

    def tell(self, index: int, base: int) -> None:
        """Ring ``index`` told and started."""
        self.place(index, base)
        self.device.start(index)

    def place(self, index: int, base: int) -> None:
        """Ring ``index`` told, all but its start."""
        device, bells = self.device, self.bells[index]
        device.set_vring_num(index, NUM)
        device.set_vring_base(index, base)
        device.set_vring_addr(index, self.addresses(index))
        device.set_vring_kick(index, bells["kick"])
        device.set_vring_call(index, bells["call"])
        device.set_vring_err(index, bells["err"])

    def addresses(self, index: int, flags: int = 0) -> RingAddresses:
        """Where ring ``index`` lies, in this process."""
        place = self.rings[index].hva
        return RingAddresses(place.desc, place.avail, place.used, self.rings[index].gpa.used, flags)

    # --- data ---

    def send(self, *packets: bytes) -> list[int]:
        """Offer packets (header first) and kick; the heads."""
        heads = []
        for number, packet in enumerate(packets):
            at = BUFFERS + 0x1000 * number
            self.memory.write(at, packet)
            heads.append(self.queues[TX].add(out=[(at, len(packet))]))
        self.queues[TX].publish()
        self.kick(TX)
        return heads

    def provide(self, count: int) -> None:
        """Offer ``count`` buffers to receive into, and kick."""
        for number in range(count):
            self.queues[RX].add(in_=[(BUFFERS + 0x40000 + 0x1000 * number, 2048)])
        self.queues[RX].publish()
        self.kick(RX)

    def kick(self, index: int) -> None:
        """Ring the kick doorbell, wanted or not."""
        os.eventfd_write(self.bells[index]["kick"], 1)

    def reap(self, index: int, count: int, seconds: float = PATIENCE) -> list[tuple[int, int]]:
        """``count`` chains that came back: (head, len). Raises TimedOut."""
        got: list[tuple[int, int]] = []

        def enough() -> bool:
            while (used := self.queues[index].reap()) is not None:
                got.append((used.head, used.len))
            return len(got) >= count

        wait_for(enough, seconds)
        return got

    def rang(self, index: int, name: str) -> bool:
        """Whether that doorbell was rung since it was looked at last."""
        try:
            return os.eventfd_read(self.bells[index][name]) > 0
        except BlockingIOError:
            return False
