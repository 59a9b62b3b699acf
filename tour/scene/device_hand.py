"""The device's side of a ring in the learner's hand: pop, map, send or receive, fill, flush, call, one order each.

``take`` stops the device on that ring, as a hand-over does: the backend socket is detached, then VHOST_GET_VRING_BASE
says where to go on. ``give`` gives it back the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tour.device.contract import RX, TX
from tour.scene.doorbell_hand import DoorbellHand
from tour.scene.nic import Nic
from tour.scene.refused import Refused
from tour.trace import events as ev
from tour.trace.recorder import here
from tour.virtqueue.chain import Chain
from tour.virtqueue.faults import DeviceFault, FaultyDevice
from tour.virtqueue.net_header import SIZE

LIMIT = 65550


class Order(Protocol):
    """See ``hands.Order``."""

    @property
    def verb(self) -> str: ...  # noqa: D102
    @property
    def words(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def queue(self) -> int: ...  # noqa: D102
    def number(self, name: str) -> int: ...  # noqa: D102


@dataclass
class Held:
    """A queue in the hand: its device side, the chain taken last, what was written into it, entries not flushed."""

    queue: FaultyDevice
    chain: Chain | None = None
    written: int = 0
    filled: int = 0


class DeviceHand:
    """``held`` are the queues taken, by number."""

    def __init__(self, nic: Nic, bells: DoorbellHand) -> None:
        self.nic, self.bells = nic, bells
        self.held: dict[int, Held] = {}

    def do(self, order: Order, faults: set[DeviceFault]) -> None:
        """One order. Raises Refused, RingError."""
        if order.verb == "take":
            self.take(order.queue, faults)
        else:
            index = {"send": TX, "receive": RX}.get(order.verb, order.queue)
            held = self._in_hand(index)
            _ACTS[order.verb](self, held, order)

    def _in_hand(self, index: int) -> Held:
        if index not in self.held:
            raise Refused("take_first", queue=("rx", "tx")[index])
        return self.held[index]

    def take(self, index: int, faults: set[DeviceFault]) -> None:
        """Stop the device on that ring and go on in its place."""
        if index in self.held:
            raise Refused("in_your_hand", queue=("rx", "tx")[index])
        base = self.nic.device.stop(index)
        queue = FaultyDevice(self.nic.rings[index], self.nic.memory.table, self.nic.device.acknowledged)
        queue.faults = faults
        queue.attach(base)
        self.held[index] = Held(queue)

    def give(self, index: int) -> None:
        """Give the ring back, where we stopped."""
        held = self._in_hand(index)
        if held.filled or held.chain is not None:
            raise Refused("unfinished")
        del self.held[index]
        self.nic.device.set_vring_base(index, held.queue.last_avail_idx)
        self.nic.received = self.nic.rings[RX].load_used_idx() if index == RX else self.nic.received
        self.nic.device.start(index, self.nic.port)

    def pop(self, held: Held, order: Order) -> None:
        """The next chain."""
        if held.chain is not None:
            raise Refused("fill_first", head=held.chain.head)
        held.chain, held.written = held.queue.pop(), 0
        if held.chain is None:
            raise Refused("nothing_waits")

    def map(self, held: Held, order: Order) -> None:
        """Its buffers' addresses in this process."""
        held.queue.map(self._chain(held))

    def send(self, held: Held, order: Order) -> None:
        """Its bytes out of guest memory, to the port."""
        chain = self._chain(held)
        if not SIZE < chain.readable_len <= LIMIT:
            raise Refused("no_packet", least=SIZE + 1, len=chain.readable_len)
        data = b"".join(self.nic.memory.read(part.gpa, part.len) for part in chain.readable)
        self.nic.port.write(data)
        packet = ev.Packet("out", "port", data[SIZE:].hex(), data[:SIZE].hex(), TX)
        self.nic.recorder.emit(packet, actor="device", frame=here(), above="port.write")
        sent = ev.Action("send", TX, {"len": len(data) - SIZE})
        self.nic.recorder.emit(sent, actor="device", frame=here(), above="port.write")

    def receive(self, held: Held, order: Order) -> None:
        """A frame from the port into its buffer."""
        chain = self._chain(held)
        data = self.nic.port.read()
        if data is None:
            raise Refused("no_frame")
        if len(data) > chain.writable_len:
            raise Refused("too_long", len=len(data), room=chain.writable_len)
        data = data[: SIZE - 2] + (1).to_bytes(2, "little") + data[SIZE:]
        packet = ev.Packet("in", "port", data[SIZE:].hex(), data[:SIZE].hex(), RX)
        self.nic.recorder.emit(packet, actor="device", frame=here(2))
        at = 0
        for part in chain.writable:
            piece = data[at : at + part.len]
            at += len(piece)
            if piece:
                self._store(part.gpa, piece)
        held.written = len(data)
        self.nic.recorder.emit(ev.Action("receive", RX, {"len": len(data) - SIZE}), actor="device")
        self._look()

    def _store(self, gpa: int, piece: bytes) -> None:
        before = self.nic.memory.read(gpa, len(piece))
        self.nic.memory.write(gpa, piece)
        written = ev.Write(RX, gpa, before.hex(), self.nic.memory.read(gpa, len(piece)).hex(), "buffer")
        self.nic.recorder.emit(written, actor="device", frame=here(), above="memory.write")

    def _look(self) -> None:
        if self.nic.traffic is not None:
            self.nic.traffic.look()

    def fill(self, held: Held, order: Order) -> None:
        """A used element for it."""
        chain, length = self._chain(held), order.number("len")
        held.queue.fill(chain.head, held.written if length < 0 else length, held.filled)
        held.filled += 1
        held.chain = None

    def flush(self, held: Held, order: Order) -> None:
        """used.idx."""
        if not held.filled:
            raise Refused("nothing_filled")
        held.queue.flush(held.filled)
        held.filled = 0

    def call(self, held: Held, order: Order) -> None:
        """The call, if the driver wants it (or always)."""
        index = held.queue.ring.index
        if order.words["when"] == "asked" and not held.queue.needs_call():
            self.nic.recorder.emit(ev.Note("sandbox.no_call_wanted", {"queue": ("RX", "TX")[index]}), actor="tour")
            return
        if self.bells.call(index):
            self.nic.recorder.emit(ev.Action("call", index), actor="device", frame=here(), above=".call(")

    def kicks(self, held: Held, order: Order) -> None:
        """Whether the device wants kicks."""
        if order.words["switch"] == "off":
            held.queue.disable_kicks()
            if held.queue.event_idx:
                self.nic.recorder.emit(ev.Note("sandbox.kicks_stay", {}), actor="tour")
        elif held.queue.enable_kicks():
            self.nic.recorder.emit(ev.Note("sandbox.kicks_late", {}), actor="tour")

    def _chain(self, held: Held) -> Chain:
        if held.chain is None:
            raise Refused("pop_first")
        return held.chain


_ACTS: dict[str, Callable[[DeviceHand, Held, Order], None]] = {
    name: getattr(DeviceHand, name) for name in ("pop", "map", "send", "receive", "fill", "flush", "call", "kicks")
}
