"""Both hands on the ring: what each order of the sandbox does, with the real parts of a set-up that runs.

The driver's orders are the driver queue's own functions. The device's are in ``device_hand``, the doorbells' in
``doorbell_hand``. An order that cannot be done now raises ``Refused``; nothing has moved then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tour.device.contract import RX, TX
from tour.device.embedded import EmbeddedDevice
from tour.errors import GuestMemoryError, RingError
from tour.net.frames import GUEST_IP, GUEST_MAC, ICMP_ECHO_REQUEST, PEER_IP, PEER_MAC, Echo, arp_request, echo, ethernet
from tour.scene.device_hand import DeviceHand
from tour.scene.doorbell_hand import DoorbellHand
from tour.scene.nic import RX_BUFFER_SIZE, RX_BUFFERS, TX_BUFFER, Nic
from tour.scene.refused import Refused
from tour.scene.restore import restore_memory
from tour.trace import events as ev
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.faults import DeviceFault, DriverFault, FaultyDevice, FaultyDriver
from tour.virtqueue.net_header import NetHeader
from tour.virtqueue.ring import Ring

HEADER = NetHeader().pack()
SLOT = 2048
SLOTS = 128
DATA = 0x88B5
"""IEEE 802's EtherType for local experiments: the peer's network stack passes such a frame over."""
NAMES = ("rx", "tx")


class Order(Protocol):
    """One line of the sandbox, understood (``lesson.orders.Order``)."""

    @property
    def verb(self) -> str: ...  # noqa: D102
    @property
    def words(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def queue(self) -> int: ...  # noqa: D102
    def number(self, name: str) -> int: ...  # noqa: D102


class Hands:
    """Does orders on ``nic``, whose rings run. ``do`` returns the condition on which the order ended."""

    def __init__(self, nic: Nic) -> None:
        self.nic = nic
        nic.tx, nic.rx = FaultyDriver.of(nic.tx), FaultyDriver.of(nic.rx)
        self.bells = DoorbellHand(nic)
        self.device = DeviceHand(nic, self.bells)
        self.device_faults: set[DeviceFault] = set()
        self.written = (0, 0)
        self._slot = 0
        self._pings = 0

    def do(self, order: Order) -> str:
        """Raises Refused, OSError from the device."""
        try:
            act = _ACTS.get(order.verb)
            if act is not None:
                ended = act(self, order)
            else:
                self.device.do(order, self.device_faults)
                ended = self.settle() if order.verb == "send" else "done"
        except RingError as error:
            raise Refused("fault", reason=str(error.reason)) from error
        except GuestMemoryError as error:
            raise Refused("memory", reason=error.reason.value, gpa=hex(error.gpa)) from error
        return ended or "done"

    def queue(self, index: int) -> DriverQueue:
        """The driver's side of that queue."""
        return self.nic.tx if index == TX else self.nic.rx

    def settle(self) -> str:
        """Look until the queues that a device of its own serves rest; calls on their way are passed on."""
        served = [index for index in (TX, RX) if index not in self.device.held]
        ended = self.nic.settle(*served) if served else "done"
        self.bells.pass_calls()
        return ended

    # --- the driver -----------------------------------------------------------------------------------------

    def write(self, order: Order) -> None:
        """A packet into the next buffer of guest memory."""
        frame = self._frame(order)
        gpa = TX_BUFFER + SLOT * (self._slot % SLOTS)
        self._slot += 1
        self.nic.write_buffer(gpa, HEADER, "net_hdr")
        self.nic.write_buffer(gpa + len(HEADER), frame, "frame")
        self.written = (gpa, len(HEADER) + len(frame))

    def _frame(self, order: Order) -> bytes:
        what, size = order.words["what"], order.number("bytes")
        if what == "arp":
            return arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
        if not 0 < size <= SLOT - len(HEADER) - 64:
            raise Refused("size", most=SLOT - len(HEADER) - 64)
        if what == "ping":
            self._pings += 1
            ends = (GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP)
            return echo(Echo(ICMP_ECHO_REQUEST, *ends, ident=1, seq=self._pings, data=bytes(size)))
        return ethernet(PEER_MAC, GUEST_MAC, DATA, bytes(range(256)) * (size // 256) + bytes(range(size % 256)))

    def describe(self, order: Order) -> None:
        """A descriptor for what was written, or for an address and a length of one's own."""
        gpa, size = order.number("gpa"), order.number("len")
        if order.queue == RX:
            gpa, size = gpa or self._rx_buffer(), size or RX_BUFFER_SIZE
            self.nic.own.rx_head = self.nic.rx.write_chain([], [(gpa, size)])
            return
        gpa, size = (gpa, size) if size else self.written
        if not size:
            raise Refused("nothing_written")
        self.nic.own.tx_head = self.nic.tx.write_chain([(gpa, size)], [])

    def _rx_buffer(self) -> int:
        """A buffer to receive into that no outstanding chain holds."""
        ring, taken = self.nic.rx.ring, set()
        for chain in self.nic.rx.in_flight.values():
            taken |= {ring.read_desc(index).addr for index in chain.descriptors}
        places = (RX_BUFFERS + n * RX_BUFFER_SIZE for n in range(ring.num + 1))
        return next(gpa for gpa in places if gpa not in taken)

    def entry(self, order: Order) -> None:
        """The head of the chain described last, into the available ring."""
        name = f"{NAMES[order.queue]}_head"
        head = getattr(self.nic.own, name, None)
        if head is None or head not in self.queue(order.queue).in_flight:
            raise Refused("nothing_described")
        setattr(self.nic.own, name, None)
        self.queue(order.queue).write_entry(head)

    def publish(self, order: Order) -> None:
        """All entries, by one index."""
        self.queue(order.queue).publish()

    def kick(self, order: Order) -> str:
        """The doorbell, if the device wants it (or always); then until all rests."""
        asked = order.words["when"] == "asked"
        if asked and not self.queue(order.queue).needs_kick():
            self._note("no_kick_wanted", order.queue)
            return "done"
        self.bells.kick(order.queue)
        return self.settle()

    def calls(self, order: Order) -> None:
        """Whether the driver wants calls."""
        queue = self.queue(order.queue)
        if order.words["switch"] == "off":
            queue.disable_calls()
            if queue.event_idx:
                self._note("calls_stay", order.queue)
        elif queue.enable_calls():
            self._note("calls_late", order.queue)

    def listen(self, order: Order) -> None:
        """Read the call eventfd."""
        self.nic.bells[order.queue].drain_call()

    def reap(self, order: Order) -> None:
        """Everything the device is done with."""
        queue, count = self.queue(order.queue), 0
        while queue.reap() is not None:
            count += 1
        if not count:
            self._note("nothing_to_reap", order.queue)

    def burst(self, order: Order) -> str:
        """Several packets: each written, described, entered; then one publish and one look whether to kick."""
        tx, count = self.nic.tx, order.number("count")
        if not 0 < count <= tx.num_free:
            raise Refused("too_many", free=tx.num_free)
        for _ in range(count):
            self.write(_Data())
            tx.write_entry(tx.write_chain([self.written], []))
        tx.publish()
        if tx.needs_kick():
            self.bells.kick(TX)
        else:
            self._note("no_kick_wanted", TX)
        return self.settle()

    # --- memory, faults, control ----------------------------------------------------------------------------

    def poke(self, order: Order) -> None:
        """Another value into a field of the ring, or into guest memory, from outside."""
        gpa, size = self._place(order)
        value = order.number("value") % (1 << 8 * size)
        data = value.to_bytes(size, "little")
        self._overwrite(gpa, data)

    def _overwrite(self, gpa: int, data: bytes) -> None:
        """A descriptor or a used element is told whole, as the trace has them, with one part changed."""
        for ring in self.nic.rings.values():
            for start, width, count in ((ring.gpa.desc, 16, ring.num), (ring.gpa.used + 4, 8, ring.num)):
                slot, at = divmod(gpa - start, width)
                if 0 <= slot < count:
                    whole = bytearray(self.nic.memory.read(start + slot * width, width))
                    whole[at : at + len(data)] = data
                    gpa, data = start + slot * width, bytes(whole)
        restore_memory(self.nic.memory, self.nic.rings.values(), [(gpa, data.hex())], self.nic.recorder)

    def peek(self, order: Order) -> None:
        """What memory holds in a field."""
        gpa, size = self._place(order)
        value = int.from_bytes(self.nic.memory.read(gpa, size), "little")
        key = "sandbox.peeked"
        self.nic.recorder.emit(
            ev.Note(key, {"field": order.words["field"], "value": value, "hex": hex(value), "gpa": hex(gpa)}),
            actor="tour",
        )

    def _place(self, order: Order) -> tuple[int, int]:
        """Guest address and bytes of a field; a number is the address of a byte."""
        field = order.words["field"]
        if field[0].isdigit():
            try:
                return int(field, 0), 1
            except ValueError:
                raise Refused("field", field=field) from None
        found = place_of(self.nic.rings[order.queue], field)
        if found is None:
            raise Refused("field", field=field)
        return found

    def fault(self, order: Order) -> None:
        """A switch of the driver's or of the embedded device's."""
        name, on = order.words["fault"], order.words["switch"] == "on"
        if name in [fault.value for fault in DriverFault]:
            for queue in (self.nic.tx, self.nic.rx):
                assert isinstance(queue, FaultyDriver), "the sandbox made it so"
                (queue.faults.add if on else queue.faults.discard)(DriverFault(name))
        else:
            self._device_fault(DeviceFault(name), on)
        self.nic.recorder.emit(ev.Note(f"sandbox.fault_{'on' if on else 'off'}", {"fault": name}), actor="tour")

    def _device_fault(self, fault: DeviceFault, on: bool) -> None:
        device = self.nic.device
        if not isinstance(device, EmbeddedDevice) or device.gear != "python":
            if not self.device.held:
                raise Refused("not_ours")
        else:
            for ring in device.rings:
                with ring.lock:
                    ring.make = FaultyDevice.with_faults(self.device_faults)
                    ring.refit()
        (self.device_faults.add if on else self.device_faults.discard)(fault)

    def detach(self, order: Order) -> None:
        """-1 in place of the backend socket."""
        self._served(order.queue)
        self.nic.device.stop(order.queue)

    def base(self, order: Order) -> None:
        """Where the device shall go on reading; refused while the ring runs."""
        self._served(order.queue)
        self.nic.device.set_vring_base(order.queue, order.number("idx") & 0xFFFF)

    def attach(self, order: Order) -> str:
        """The backend socket again."""
        self._served(order.queue)
        self.nic.device.start(order.queue, self.nic.port)
        return self.settle()

    def _served(self, index: int) -> None:
        if index in self.device.held:
            raise Refused("in_your_hand", queue=NAMES[index])

    def look(self, order: Order) -> str:
        """Only look."""
        return self.settle()

    def give(self, order: Order) -> str:
        """The queue back to the device it was taken from."""
        self.device.give(order.queue)
        return self.settle()

    def doorbell(self, order: Order) -> None:
        """What becomes of a doorbell's signals on their way."""
        self.bells.set(order.words["bell"], order.queue, order.words["how"])

    def deliver(self, order: Order) -> str:
        """Signals held back arrive."""
        self.bells.deliver(order.words["bell"], order.queue)
        return self.settle()

    def _note(self, key: str, queue: int) -> None:
        self.nic.recorder.emit(ev.Note(f"sandbox.{key}", {"queue": NAMES[queue].upper()}), actor="tour")


class _Data:
    """What ``burst`` writes: 64 bytes of data."""

    verb, queue = "write", TX
    words = {"what": "data", "bytes": "64"}

    def number(self, name: str) -> int:
        return int(self.words[name])


_ACTS: dict[str, Callable[[Hands, Order], str | None]] = {
    name: getattr(Hands, name)
    for name in (
        "write", "describe", "entry", "publish", "kick", "calls", "listen", "reap", "burst", "poke", "peek", "fault",
        "detach", "base", "attach", "look", "give", "doorbell", "deliver",
    )
}  # fmt: skip


def place_of(ring: Ring, field: str) -> tuple[int, int] | None:
    """Guest address and bytes of ``avail.idx``, ``desc[0].addr``, ``used.ring[1].len``; None for no such field."""
    gpa = ring.gpa
    words = {
        "avail.flags": gpa.avail_flags, "avail.idx": gpa.avail_idx, "avail.used_event": gpa.used_event,
        "used.flags": gpa.used_flags, "used.idx": gpa.used_idx, "used.avail_event": gpa.avail_event,
    }  # fmt: skip
    if field in words:
        return words[field], 2
    table, _, rest = field.partition("[")
    slot, _, part = rest.partition("]")
    if not slot.isdigit() or int(slot) >= ring.num:
        return None
    parts = {
        ("desc", ".addr"): (gpa.desc, 16, 0, 8), ("desc", ".len"): (gpa.desc, 16, 8, 4),
        ("desc", ".flags"): (gpa.desc, 16, 12, 2), ("desc", ".next"): (gpa.desc, 16, 14, 2),
        ("avail.ring", ""): (gpa.avail + 4, 2, 0, 2), ("used.ring", ".id"): (gpa.used + 4, 8, 0, 4),
        ("used.ring", ".len"): (gpa.used + 4, 8, 4, 4),
    }  # fmt: skip
    found = parts.get((table, part))
    return (found[0] + found[1] * int(slot) + found[2], found[3]) if found else None
