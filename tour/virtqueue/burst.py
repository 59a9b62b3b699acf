"""The driver's side of a split ring at speed: packets by the burst, no Python for each packet.

The same rules as :class:`tour.virtqueue.driver.DriverQueue`, in C (``csrc/driver.h``, ``csrc/burst.h``), with the GIL
released. A queue has one buffer in guest memory for each descriptor; frames are copied in and out by the burst.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tour.abi import native
from tour.abi.names import Feature
from tour.errors import RingError, RingFault, TimedOut
from tour.memory.guest import PAGE, GuestMemory
from tour.virtqueue import layout, net_header

FAULTS = (
    RingFault.USED_JUMP,
    RingFault.NOT_OUTSTANDING,
    RingFault.USED_LENGTH,
    RingFault.SHORT_USED,
    RingFault.NUM_BUFFERS,
)
"""In the order of enum vt_driver_fault."""
TOO_LARGE, TOO_FEW, NO_CALL = -6, -7, -100
PIECES = 64
"""Slots that one packet may take."""
_LINE = 64


@dataclass(frozen=True)
class BurstPlace:
    """Where a queue's parts lie in guest memory, guest addresses and bytes: the ring, the indirect tables, and
    ``ring.num`` slots of ``room`` bytes, ``stride`` apart."""

    ring: layout.RingLayout
    tables: int
    slots: int
    room: int
    stride: int

    @property
    def end(self) -> int:
        """The first address past all of it, whole pages."""
        return -(-(self.slots + self.ring.num * self.stride) // PAGE) * PAGE


def place(num: int, base: int, room: int) -> BurstPlace:
    """A queue of ``num`` descriptors with buffers of ``room`` bytes, from guest address ``base`` on.

    Raises RingError(BAD_SIZE), and ValueError for a room too small for a header and a byte.
    """
    if room <= net_header.SIZE:
        raise ValueError(f"a buffer of {room} bytes holds no packet")
    ring = layout.plan(num, base)
    tables = -(-layout.end(ring) // PAGE) * PAGE
    # An odd number of cache lines from slot to slot, or all first lines would fall into a few sets of the cache.
    stride = (-(-room // _LINE) | 1) * _LINE
    return BurstPlace(ring, tables, tables + num * PIECES * layout.DESC_SIZE, room, stride)


class BurstQueue:
    """One queue in ``memory`` at ``where``; ``kick`` is the doorbell's descriptor (-1: the device polls).

    ``features`` is the negotiated word. ``base`` is the index the ring begins at. One thread at a time may be in it.
    The device must be stopped before the memory is closed.
    """

    def __init__(self, memory: GuestMemory, where: BurstPlace, features: int, kick: int = -1, base: int = 0) -> None:
        self.memory, self.where, self.features = memory, where, features
        self.num = where.ring.num
        self._lib = native.lib()
        self._queue = self._new(kick, base)
        self._counts = native.struct("vt_driver_counts")

    def _new(self, kick: int, base: int) -> Any:  # noqa: ANN401 - the C queue
        ring, num = self.where.ring, self.where.ring.num
        hva = self.memory.translate
        indirect = Feature.VIRTIO_RING_F_INDIRECT_DESC.on(self.features)
        at = native.struct(
            "vt_driver_place",
            desc=hva(ring.desc, ring.desc_size),
            avail=hva(ring.avail, ring.avail_size),
            used=hva(ring.used, ring.used_size),
            slots=hva(self.where.slots, num * self.where.stride),
            slots_gpa=self.where.slots,
            tables=hva(self.where.tables, num * PIECES * layout.DESC_SIZE) if indirect else 0,
            tables_gpa=self.where.tables,
            features=self.features,
            num=num,
            room=self.where.room,
            stride=self.where.stride,
            kick=kick,
            base=base,
        )
        return native.owned(self._lib.vt_driver_new(at), self._lib.vt_driver_free)

    def call_after(self, used: int) -> bool:
        """Ask for a call once ``used`` more elements are used; 0 asks for none.

        True when that many are there already: then look, do not sleep. Source: virtio v1.3 2.7.7.
        """
        return bool(self._lib.vt_driver_calls(self._queue, used))

    def counts(self) -> dict[str, int]:
        """What was done: packets, bytes (of frames), chains, publishes, kicks, kicks_saved (not wanted).

        ``outstanding`` are chains that the device has not used yet, or that were not taken back.
        """
        self._lib.vt_driver_tell(self._queue, self._counts)
        names = ("packets", "bytes", "chains", "publishes", "kicks", "kicks_saved", "outstanding")
        return {name: int(getattr(self._counts, name)) for name in names}

    def _checked(self, result: int) -> int:
        if result >= 0:
            return result
        self._lib.vt_driver_tell(self._queue, self._counts)
        at, value = int(self._counts.fault_at), int(self._counts.fault_value)
        if result == TOO_FEW:
            raise ValueError(f"the lengths say more bytes than there are: frame {at} has {value}")
        if result == TOO_LARGE:
            raise ValueError(f"a frame of {value} bytes does not fit")
        raise RingError(FAULTS[-1 - result], 0, at, value, "virtio v1.3 2.7.8, 5.1.6.4")


class BurstSender(BurstQueue):
    """A transmit queue."""

    def send(self, frames: Any, lengths: Any, headers: Any = None) -> int:  # noqa: ANN401 - buffers
        """Send frames that lie one after another in ``frames``; returns how many the ring took (0: it is full).

        ``lengths`` is a buffer of 32-bit numbers, the bytes of each frame, or one int that holds for all.
        ``headers`` has 12 bytes of virtio_net_hdr for each, None means zeros: no checksum and no segmentation asked.
        A kick is rung only if the device wants one. Raises ValueError for a frame larger than the ring holds and
        for lengths past the end, RingError when the device breaks a rule.
        """
        data = native.view(frames)
        size = len(data)
        if isinstance(lengths, int):
            if lengths <= 0:
                raise ValueError(f"a frame of {lengths} bytes is none")
            count, each, given = size // lengths, lengths, native.view(None)
        else:
            given = native.view(lengths)
            count, each = len(given) // 4, 0
        if headers is not None and len(memoryview(headers).cast("B")) < count * net_header.SIZE:
            raise ValueError(f"{count} frames want {count * net_header.SIZE} bytes of headers")
        sent = self._lib.vt_driver_send(self._queue, data, size, given, each, count, native.view(headers))
        return self._checked(sent)

    def send_each(self, frames: Iterable[Any]) -> int:
        """Send buffers of one frame each; returns how many the ring took. For comfort: Python touches each."""
        parts = [bytes(frame) for frame in frames]
        lengths = b"".join(len(part).to_bytes(4, "little") for part in parts)
        return self.send(b"".join(parts), lengths)

    def reap(self) -> int:
        """Take back what the device is done with; returns how many. ``send`` does it by itself when it must."""
        return self._checked(self._lib.vt_driver_reap(self._queue))

    def send_apart(self, frame: Any, count: int) -> int:  # noqa: ANN401 - a buffer
        """Send ``frame`` ``count`` times, each published by itself and with its own look whether a kick is wanted, no
        Python in between; returns how many the ring took. Raises RingError when the device breaks a rule.
        """
        data = native.view(frame)
        return self._checked(self._lib.vt_loop_each(self._queue, data, len(data), count))

    def ping(self, call: int, frame: Any, took: Any) -> None:  # noqa: ANN401 - buffers
        """Send ``frame``, sleep until the call on eventfd ``call``, again for each 64-bit number of ``took``, which
        takes the nanoseconds. Nothing may be outstanding. Raises RingError, TimedOut after a second without a call.
        """
        data, told = native.view(frame), native.view(took, True)
        result = self._lib.vt_loop_ping(self._queue, call, data, len(data), len(told) // 8, told)
        if result == NO_CALL:
            raise TimedOut("The device did not call within a second.")
        self._checked(result)

    def pump(self, call: int, frames: Any, length: int, count: int) -> int:  # noqa: ANN401 - a buffer
        """Send ``frames``, of ``length`` bytes each, again and again until ``count`` at least are through, asleep on
        eventfd ``call`` while the ring is full; returns how many. No Python meanwhile. Raises as ``ping``.
        """
        data = native.view(frames)
        result = self._lib.vt_loop_pump(self._queue, call, data, len(data), length, count)
        if result == NO_CALL:
            raise TimedOut("The device did not call within a second.")
        return self._checked(result)


class BurstReceiver(BurstQueue):
    """A receive queue. ``offer`` gives the device all its buffers to begin with."""

    def offer(self) -> int:
        """Offer every buffer that is free; returns how many."""
        return self._checked(self._lib.vt_driver_offer(self._queue))

    def recv(self, into: Any, lengths: Any, headers: Any = None) -> int:  # noqa: ANN401 - buffers
        """Receive what waits, frame after frame into the writable buffer ``into``; returns how many frames.

        The bytes of each are written to ``lengths``, a writable buffer of 32-bit numbers that also bounds how many;
        ``headers`` takes 12 bytes of virtio_net_hdr for each. A packet in several buffers (MRG_RXBUF) is put together.
        The buffers are offered again. Raises ValueError when the next frame is larger than ``into``, RingError when
        the device breaks a rule.
        """
        room, told = native.view(into, True), native.view(lengths, True)
        count = len(told) // 4
        taken = native.view(headers, True)
        if headers is not None:
            count = min(count, len(taken) // net_header.SIZE)
        return self._checked(self._lib.vt_driver_recv(self._queue, room, len(room), told, count, taken))
