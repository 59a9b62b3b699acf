"""Packets in and out of Python through any device of the contract: frames by the burst, none touched by Python.

    with EmbeddedDevice() as device, PacketIO(device, tap) as packets:
        packets.send(frames, 64)            # frames of 64 bytes, one after another in one buffer
        count = packets.recv(room, lengths)

The device may be the embedded one, the kernel's, or the front end of a vhost-user back-end: this is what its driver
does, set-up included. ``docs/en/speed.md`` says how fast each is.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from tour.abi.names import Feature, word_of
from tour.device.contract import RX, TX, Backend, RingAddresses, VhostDevice
from tour.memory.guest import GuestMemory
from tour.virtqueue.burst import BurstPlace, BurstQueue, BurstReceiver, BurstSender, place

WANTED = word_of(
    Feature.VIRTIO_F_VERSION_1,
    Feature.VIRTIO_NET_F_MRG_RXBUF,
    Feature.VIRTIO_RING_F_INDIRECT_DESC,
    Feature.VIRTIO_RING_F_EVENT_IDX,
)
"""What is acknowledged of what the device offers, unless told otherwise."""
BASE = 0x100000
Queue = TypeVar("Queue", bound=BurstQueue)


class PacketIO:
    """A driver of one queue pair on ``device``, both rings started on ``port``; a context manager.

    ``num`` descriptors a ring, each with a buffer of ``room`` bytes: a larger frame takes several. ``features`` is the
    word that was acknowledged. A vhost-user back-end has a port of its own: any will do here. A thread may send while
    another receives, but only one each. Without ``rings_itself`` the driver never kicks: its caller does, by the
    eventfds in ``kicks``. Raises OSError with what the device refuses. ``close``
    stops the rings; the device itself stays the caller's.
    """

    def __init__(
        self, device: VhostDevice, port: Backend, *, num: int = 256, room: int = 2048, wanted: int = WANTED,
        rings_itself: bool = True,
    ) -> None:  # fmt: skip
        self.device = device
        self._rings_itself = rings_itself
        self._stack = ExitStack()
        try:
            self._set_up(port, num, room, wanted)
        except BaseException:
            self._stack.close()
            raise

    def _set_up(self, port: Backend, num: int, room: int, wanted: int) -> None:
        self.device.set_owner()
        self.features = self.device.get_features() & wanted
        self.device.set_features(self.features)
        rx = place(num, BASE, room)
        tx = place(num, rx.end, room)
        self.memory = self._stack.enter_context(GuestMemory([(BASE, tx.end - BASE)]))
        self.device.set_mem_table(self.memory.table)
        self.kicks: dict[int, int] = {}
        self.calls: dict[int, int] = {}
        self.rx, self.tx = self._queue(RX, rx, BurstReceiver), self._queue(TX, tx, BurstSender)
        self.rx.offer()
        for index in (RX, TX):
            self.device.start(index, port)
            self._stack.callback(self.device.stop, index)

    def _queue(self, index: int, where: BurstPlace, kind: type[Queue]) -> Queue:
        kick, call = (os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(2))
        for fd in (kick, call):
            self._stack.callback(os.close, fd)
        queue = kind(self.memory, where, self.features, kick if self._rings_itself else -1)
        ring, hva = where.ring, self.memory.translate
        self.device.set_vring_num(index, ring.num)
        self.device.set_vring_base(index, 0)
        addresses = RingAddresses(
            hva(ring.desc, ring.desc_size), hva(ring.avail, ring.avail_size), hva(ring.used, ring.used_size)
        )
        self.device.set_vring_addr(index, addresses)
        self.device.set_vring_kick(index, kick)
        self.device.set_vring_call(index, call)
        self.kicks[index], self.calls[index] = kick, call
        return queue

    def send(self, frames: Any, lengths: Any, headers: Any = None) -> int:  # noqa: ANN401 - buffers
        """See :meth:`BurstSender.send`: as many as the ring takes now; it does not wait."""
        return self.tx.send(frames, lengths, headers)

    def recv(self, into: Any, lengths: Any, headers: Any = None) -> int:  # noqa: ANN401 - buffers
        """See :meth:`BurstReceiver.recv`: what is there now; it does not wait."""
        return self.rx.recv(into, lengths, headers)

    def wait_received(self, seconds: float, buffers: int = 1) -> bool:
        """Sleep until that many buffers are filled, ``seconds`` at most; whether they are."""
        return self._wait(self.rx, RX, buffers, seconds)

    def wait_sent(self, count: int, seconds: float) -> bool:
        """Sleep until ``count`` more packets than were taken back so far are sent; whether they are."""
        return self._wait(self.tx, TX, count, seconds)

    def _wait(self, queue: BurstQueue, index: int, count: int, seconds: float) -> bool:
        """A call says no more than: look. So look, and sleep only while it is not there yet."""
        poll, fd = select.poll(), self.calls[index]
        poll.register(fd, select.POLLIN)
        deadline = time.monotonic() + seconds
        while not (there := queue.call_after(count)) and (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                os.eventfd_read(fd)
        queue.call_after(0)
        return there

    def close(self) -> None:
        """Stop both rings and release the memory. May be called twice."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
