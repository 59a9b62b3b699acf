"""Transmit: from the ring to the port, one chain one frame (drivers/vhost/net.c, handle_tx_copy@6.1)."""

from __future__ import annotations

from tour.device.embedded import checks
from tour.device.embedded.files import FRAME_LIMIT, Port, Sent
from tour.device.embedded.vring import Vring
from tour.errors import RingError, RingFault
from tour.memory.table import Span
from tour.virtqueue.chain import Chain, Mapped
from tour.virtqueue.device import DeviceQueue

PACKETS_A_TURN = 256
"""VHOST_NET_PKT_WEIGHT (drivers/vhost/net.c@6.1): no ring may starve the other."""
BYTES_A_TURN = 0x80000
"""VHOST_NET_WEIGHT."""
BATCH = 64
"""VHOST_NET_BATCH: chains completed with one move of used.idx, and at most one call."""


def handle_tx(ring: Vring) -> bool:
    """Send what the driver published. True when a turn's limit was reached and more may wait.

    Raises RingError when the driver broke a rule, with everything before it sent and completed.
    """
    work = ring.turn()
    if work is None:
        return False
    queue, port = work
    queue.disable_kicks()
    filled = sent = 0
    try:
        for _ in range(PACKETS_A_TURN):
            if filled == BATCH:
                ring.complete(filled)
                filled = 0
            chain = next_chain(queue) if ring.tally.may_take() else None
            if chain is None:
                return False
            length = _send(ring, queue, port, chain)
            if length is None:
                queue.rewind()
                ring.rearm()
                return False
            queue.fill(chain.head, 0, filled)
            ring.tally.took(1)
            filled += 1
            sent += length
            if sent >= BYTES_A_TURN:
                break
        return True
    finally:
        ring.complete(filled)


def next_chain(queue: DeviceQueue) -> Chain | None:
    """The next chain; None when the ring is empty *and* the driver was asked to kick from now on."""
    while True:
        chain = queue.pop()
        if chain is not None or not queue.enable_kicks():
            return chain
        queue.disable_kicks()


def _send(ring: Vring, queue: DeviceQueue, port: Port, chain: Chain) -> int | None:
    """Send a chain's packet; bytes used up, None when the port has no room. Raises RingError.

    A packet that the port refuses is lost and its chain completed all the same.
    """
    mapped = queue.map(chain)
    if mapped.readable_len > FRAME_LIMIT and not mapped.writable:
        ring.tally.dropped += 1
        return mapped.readable_len
    header, frame = _packet(ring, queue, chain, mapped)
    became = port.send(header, frame, ring.port_header_len)
    if became is Sent.YES:
        ring.saw("out", "send", header, frame)
    ring.tally.dropped += became is Sent.LOST
    return None if became is Sent.FULL else len(header) + len(frame)


def _packet(ring: Vring, queue: DeviceQueue, chain: Chain, mapped: Mapped) -> tuple[bytes, bytes]:
    """Header and frame of a chain, one copy, each byte read once. Raises RingError."""
    if mapped.writable:
        # The kernel does not put such a chain back: it is passed over and never completed.
        raise RingError(RingFault.WRONG_DIRECTION, ring.index, chain.head, len(chain.writable), "virtio v1.3 5.1.6.2")
    own = ring.header_len - ring.port_header_len
    data = b"".join(_read(ring, chain, span) for span in mapped.readable)
    if len(data) < max(ring.header_len, own + 1):
        # An empty one the kernel passes over; a short one it puts back and tries again for ever, where we
        # stop until the next kick.
        if len(data) > own:
            queue.rewind()
        raise RingError(RingFault.TOO_SHORT, ring.index, chain.head, len(data), "virtio v1.3 5.1.6.2")
    return data[: ring.header_len], data[ring.header_len :]


def _read(ring: Vring, chain: Chain, span: Span) -> bytes:
    try:
        return checks.copy(span.hva, span.size)
    except OSError as error:
        raise RingError(RingFault.BAD_ADDRESS, ring.index, chain.head, span.hva) from error
