"""Receive: from the port into the ring, one frame one or more chains (drivers/vhost/net.c, handle_rx@6.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tour.abi import native
from tour.device.embedded.files import Port
from tour.device.embedded.handle_tx import BATCH, BYTES_A_TURN, PACKETS_A_TURN
from tour.device.embedded.vring import MERGEABLE, Vring
from tour.errors import RingError, RingFault
from tour.memory.table import Span
from tour.trace.events import Write
from tour.trace.recorder import here
from tour.virtqueue.chain import Buffer, Chain
from tour.virtqueue.device import DeviceQueue

CHAINS_A_FRAME = 1024
"""UIO_MAXIOV: more chains than this no frame may take."""
NUM_BUFFERS_AT = 10
"""Offset of num_buffers in virtio_net_hdr [virtio v1.3 5.1.6]."""


def handle_rx(ring: Vring) -> bool:
    """Deliver what waits at the port. True when a turn's limit was reached and more may wait.

    Raises RingError when the driver broke a rule, with everything before it delivered and completed.
    """
    work = ring.turn()
    if work is None:
        return False
    queue, port = work
    queue.disable_kicks()
    filled = received = 0
    try:
        for _ in range(PACKETS_A_TURN):
            if not port.has_frame():
                ring.rearm()
                return False
            chains = _chains_for_next_frame(ring, queue, port) if ring.tally.may_take() else None
            if chains is None:
                return False
            if chains:
                received += _deliver(ring, queue, port, chains, filled)
                filled += len(chains)
            ring.tally.took(len(chains))
            ring.tally.dropped += not chains
            if filled > BATCH:
                ring.complete(filled)
                filled = 0
            if received >= BYTES_A_TURN:
                break
        return True
    finally:
        ring.complete(filled)


def _chains_for_next_frame(ring: Vring, queue: DeviceQueue, port: Port) -> list[Chain] | None:
    """Chains that hold the port's next frame; none for a frame that must be dropped (and is);
    None when the driver has too few and was asked to kick, or the frame is not there after all."""
    while True:
        seen = queue.avail_seen
        if queue.waiting():
            frame = port.peek()
            if frame is None:
                ring.rearm()
                return None
            if port.header_len != ring.port_header_len:
                port.take()
                return []
            chains = _collect(ring, queue, _ring_len(ring, frame))
            if chains is not None:
                if not chains:
                    port.take()
                return chains
            seen = queue.avail_seen
        if not queue.enable_kicks() or queue.avail_seen == seen:
            return None
        queue.disable_kicks()


def _ring_len(ring: Vring, frame: bytes) -> int:
    """Bytes the frame takes in the ring: the header may be ours to supply."""
    return len(frame) - ring.port_header_len + ring.header_len


def _collect(ring: Vring, queue: DeviceQueue, size: int) -> list[Chain] | None:
    """Pop chains until ``size`` bytes fit (get_rx_bufs). None, with all put back, when the ring ran empty;
    an empty list when the one chain allowed without MRG_RXBUF is too small."""
    quota = CHAINS_A_FRAME if MERGEABLE.on(ring.features) else 1
    chains: list[Chain] = []
    room = 0
    try:
        while room < size and len(chains) < quota:
            chain = queue.pop()
            if chain is None:
                queue.rewind(len(chains))
                return None
            room += _writable(ring, queue, chain)
            chains.append(chain)
    except RingError:
        queue.rewind(len(chains))
        raise
    if room < size:
        queue.rewind(len(chains))
        return []
    return chains


def _writable(ring: Vring, queue: DeviceQueue, chain: Chain) -> int:
    """Bytes that may be written to a chain. Raises RingError, the chain passed over as in the kernel."""
    mapped = queue.map(chain)
    if mapped.readable or not mapped.writable:
        raise RingError(RingFault.WRONG_DIRECTION, ring.index, chain.head, len(chain.readable), "virtio v1.3 5.1.6.3")
    if not all(ring.may_write(span) for span in mapped.writable):
        queue.rewind()
        raise RingError(RingFault.BAD_ADDRESS, ring.index, chain.head, mapped.writable[0].hva)
    return mapped.writable_len


def _deliver(ring: Vring, queue: DeviceQueue, port: Port, chains: list[Chain], filled: int) -> int:
    """Write header and frame into the chains and fill a used entry for each. Returns the bytes."""
    taken = port.peek() or b""
    port.take()
    header, frame = taken[: ring.port_header_len].ljust(12, b"\0"), taken[ring.port_header_len :]
    ring.saw("in", "receive", header[: ring.header_len], frame)
    left = _scatter(ring, chains, header, frame)
    size = left
    for n, chain in enumerate(chains):
        length = min(left, chain.writable_len)
        queue.fill(chain.head, length, filled + n)
        left -= length
    return size


def _scatter(ring: Vring, chains: list[Chain], header: bytes, frame: bytes) -> int:
    """Put the packet's bytes into the chains' buffers, in order. Returns how many there were.

    Without MRG_RXBUF num_buffers is left as the driver had it, as 6.1 does.
    """
    head = header[: ring.header_len]
    if MERGEABLE.on(ring.features):
        head = head[:NUM_BUFFERS_AT] + struct.pack("<H", len(chains))
    data = head + frame
    skipped = range(NUM_BUFFERS_AT, 12) if ring.header_len == 12 and not MERGEABLE.on(ring.features) else range(0)
    at = 0
    for buffer in _buffers(chains):
        piece = data[at : at + buffer.len]
        _put(ring, buffer.gpa, piece, at, skipped)
        at += len(piece)
        if at >= len(data):
            break
    return len(data)


def _buffers(chains: list[Chain]) -> Iterator[Buffer]:
    for chain in chains:
        yield from chain.writable


def _put(ring: Vring, gpa: int, piece: bytes, at: int, skipped: range) -> None:
    """One buffer's bytes, which begin ``at`` in the packet: the header apart from the frame."""
    cut = max(0, ring.header_len - at)
    for start, part, what in ((0, piece[:cut], "net_hdr"), (cut, piece[cut:], "frame")):
        if part:
            _write(ring, gpa + start, part, what, at + start, skipped)


def _write(ring: Vring, gpa: int, data: bytes, what: str, at: int, skipped: range) -> None:
    table = ring.table
    if table is None:
        return
    before = table.read(gpa, len(data))
    after = bytes(old if at + i in skipped else new for i, (old, new) in enumerate(zip(before, data, strict=True)))
    _poke(table.spans(gpa, len(after)), after)
    ring.wrote(gpa, len(after))
    event = Write(ring.index, gpa, before.hex(), after.hex(), what)
    ring.recorder.emit(event, actor="device", frame=here(2))


def _poke(spans: list[Span], data: bytes) -> None:
    done = 0
    for span in spans:
        native.poke(span.hva, data[done : done + span.size])
        done += span.size
