"""A network device and its driver, built part by part in front of the learner: memory, rings, doorbells, tap.

In this course one process plays two parts: 'you, as QEMU' makes the ioctls (actor control), 'you, as guest'
writes the rings (actor driver).
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import SimpleNamespace
from typing import NamedTuple

from tour.abi.names import Feature
from tour.device.contract import RX, TX, VhostDevice, attempt
from tour.device.observer import RingObserver
from tour.errors import GuestMemoryError
from tour.memory.guest import GuestMemory, RegionSpec
from tour.net.port import Port, open_port
from tour.scene.choose import Chosen
from tour.scene.doorbells import Bells
from tour.scene.negotiate import DRIVER, FEATURES, device_word, vhost_part
from tour.scene.traffic import Traffic
from tour.trace import events as ev
from tour.trace.recorder import Recorder, here
from tour.virtqueue import net_header
from tour.virtqueue.driver import DriverQueue
from tour.virtqueue.layout import plan
from tour.virtqueue.ring import Ring

LOW = RegionSpec(0x0, 0x20000)
HIGH = RegionSpec(0x40000, 0x80000)
RING_AT = {TX: 0x1000, RX: 0x8000}
TX_BUFFER = 0x40000
RX_BUFFERS = 0x80000
RX_BUFFER_SIZE = 2048
RING_SIZE = 8
SETTLE_SECONDS = 5.0


class Plan(NamedTuple):
    """What a fork may change: the TX ring's size and the index it begins at; how many buffers the driver offers to
    receive into, and the bytes of each; feature bits that are negotiated besides the course's own."""

    num: int = RING_SIZE
    base: int = 0
    buffers: int = RING_SIZE
    room: int = RX_BUFFER_SIZE
    features: int = 0


class Nic:
    """Everything of one queue pair, as far as it stands: parts appear in the order of ``set_up.STAGES``.

    A part used before its stage is an AttributeError: the scene's mistake. ``close`` takes all down.
    """

    port: Port
    device: VhostDevice
    memory: GuestMemory
    rings: dict[int, Ring]
    tx: DriverQueue
    rx: DriverQueue
    attempt = staticmethod(attempt)

    def __init__(self, recorder: Recorder, chosen: Chosen, plan_: Plan) -> None:
        self.recorder = recorder
        self.chosen = chosen
        self.plan = plan_
        self.baton = threading.Lock()
        self.stack = ExitStack()
        self.traffic: Traffic | None = None
        self.bells = {index: Bells(index, recorder, self.baton) for index in (RX, TX)}
        self.observers: dict[int, RingObserver] = {}
        self.vhost_word = self.device_word = self.driver_word = 0
        self.head = 0
        self.received = self.to_come = 0
        self.own = SimpleNamespace()
        """What a lesson brings itself: its scene's ``prepare`` and steps keep it here."""
        if chosen.port is not None:
            self.use_port(chosen.port)

    # --- parts, each made once ----------------------------------------------------------------------------

    def open_port(self) -> None:
        """A tap and a peer behind it (where there can be none, a socketpair), unless there is one already."""
        if self.traffic is None:
            self.use_port(open_port(self.recorder))

    def use_port(self, port: Port) -> None:
        """Take ``port`` as the one rings are attached to, and watch what passes it."""
        self.port = port
        self.stack.callback(port.close)
        self.traffic = Traffic(port, self.recorder)
        self.stack.callback(self.traffic.close)

    def open_device(self) -> None:
        """The device itself. Raises CapabilityMissing."""
        self.device = self.chosen.make_device(self.recorder, self.baton)

    def close_device(self) -> None:
        """Close it again: the kernel's file, or ours, which is none; its worker is looked for until it is gone."""
        device, worker, fd = self.device, self.device.worker, self.device.fd
        device.close()
        closed = ev.Syscall("close", [str(fd)], 0) if fd >= 0 else ev.Closed(device.kind)
        self.recorder.emit(closed, actor="control", frame=here(), above="device.close")
        if worker is not None:
            self.recorder.emit(worker.gone(), actor="device", source="observer")

    def ask(self) -> None:
        """Read vhost's feature word."""
        self.vhost_word = self.device.get_features()

    def offer(self, more: int = 0) -> None:
        """You, as QEMU: the feature word that the network device shows to the guest's driver; ``more`` is what this
        lesson's tap can do besides."""
        self.device_word = device_word(self.vhost_word, more)
        self.recorder.emit(ev.Features("device", self.device_word), actor="control", frame=here(), above=1)

    def acknowledge(self, wanted: int = DRIVER) -> None:
        """You, as guest: of what is offered, acknowledge what the driver wants."""
        self.driver_word = self.device_word & (wanted | self.plan.features)
        self.recorder.emit(ev.Features("driver", self.driver_word), actor="driver", frame=here(), above=1)

    @property
    def vhost_features(self) -> int:
        """What of the driver's word is told to vhost."""
        return vhost_part(self.driver_word, self.vhost_word)

    def map_memory(self) -> None:
        """Two regions of guest memory and a hole between them."""
        for spec in (LOW, HIGH):
            self.map_region(spec)

    def map_region(self, spec: RegionSpec) -> None:
        """One region of guest memory more: a memfd, mapped into this process."""
        if not hasattr(self, "memory"):
            self.memory = self.stack.enter_context(GuestMemory([]))
        region = self.memory.add(spec)
        number = len(self.memory.regions) - 1
        data = ev.Region(number, region.gpa, region.size, region.hva, region.fd, region.offset)
        self.recorder.emit(data, actor="control", frame=here(), above="memory.add")

    def place_rings(self) -> None:
        """Both rings in guest memory, and the driver's side of each."""
        self.rings = {RX: self._ring(RX, RING_SIZE), TX: self._ring(TX, self.plan.num)}
        for index, ring in self.rings.items():
            place = ring.gpa
            placed = ev.RingPlace(index, ring.num, place.desc, place.avail, place.used)
            self.recorder.emit(placed, actor="driver", frame=here(), above="self.rings =")
        features = FEATURES | self.plan.features
        self.tx = DriverQueue(self.rings[TX], features, kick=lambda: self.bells[TX].kick())
        self.rx = DriverQueue(self.rings[RX], features, kick=lambda: self.bells[RX].kick())

    def _ring(self, index: int, num: int) -> Ring:
        ring = Ring(self.memory, plan(num, RING_AT[index]), index)
        ring.recorder = self.recorder
        return ring

    def watch(self, index: int) -> None:
        """Look at the device's half of that ring from now on."""
        fds, port = self.bells[index].fds, self.port.fileno() if self.traffic else None
        self.observers[index] = RingObserver(self.device, self.rings[index], fds, self.recorder, port)

    # --- what scenes use ----------------------------------------------------------------------------------

    def figure(self, name: str, value: float | str) -> None:
        """Tell a number that was counted or measured; the lesson says what it is called."""
        self.recorder.emit(ev.Figure(name, value), actor="tour", source="observer")

    def listing(self, name: str, rows: list[list[str]]) -> None:
        """Tell rows that were read or put together; the lesson says what they and their columns are called."""
        self.recorder.emit(ev.Listing(name, rows), actor="tour", source="observer")

    def write_buffer(self, gpa: int, data: bytes, what: str) -> None:
        """The driver writes bytes of a packet into guest memory."""
        before = self.memory.read(gpa, len(data))
        self.memory.write(gpa, data)
        after = self.memory.read(gpa, len(data))
        wrote = ev.Write(TX, gpa, before.hex(), after.hex(), what)
        self.recorder.emit(wrote, actor="driver", frame=here(), above="memory.write")

    def translate(self, gpa: int, size: int) -> None:
        """Ask our own memory table where a guest range lies, and tell its answer, a refusal too."""
        try:
            hva, fault = self.memory.translate(gpa, size), ""
        except GuestMemoryError as refused:
            hva, fault = None, refused.reason.value
        found = ev.Translated(gpa, size, hva, fault)
        self.recorder.emit(found, actor="control", frame=here(), above="memory.translate")

    def settle(self, *indices: int) -> str:
        """Look until the queues rest; returns the condition the step ended on (``quiescent``, ``still``, errno)."""
        ended = "quiescent"
        for index in indices:
            condition = self.observers[index].wait_quiescent(SETTLE_SECONDS)
            ended = condition if condition != "quiescent" else ended
        self.observers[TX].look_at_worker()
        if self.traffic is not None:
            self.traffic.look()
        if not self.device.told:
            self._show_received()
        return ended

    def _show_received(self) -> None:
        """What a device that tells nothing wrote into RX buffers, read from memory once used entries are there."""
        ring = self.rings[RX]
        while self.received != ring.load_used_idx():
            used = ring.read_used_entry(self.received)
            gpa = ring.read_desc(used.head % ring.num).addr
            data = self.memory.read(gpa, min(used.len, RX_BUFFER_SIZE))
            what = "frame" if self.to_come else "buffer"
            self.to_come = self.to_come - 1 if self.to_come else self._more_buffers(data)
            seen = ev.Write(RX, gpa, "", data.hex(), what)
            self.recorder.emit(seen, actor="device", source="observer", inferred=True)
            self.received = (self.received + 1) & 0xFFFF

    def _more_buffers(self, first: bytes) -> int:
        """How many buffers of the same packet follow its first one: num_buffers less 1, with MRG_RXBUF."""
        mergeable = Feature.VIRTIO_NET_F_MRG_RXBUF.on(self.vhost_features) and len(first) >= net_header.SIZE
        return max(0, net_header.NetHeader.unpack(first).num_buffers - 1) if mergeable else 0

    def wait_only(self) -> str:
        """In place of an action that was left out: look, for as long as nothing moves."""
        return self.settle(TX)

    def close(self) -> None:
        """Stop the device, then close every descriptor and take the port down."""
        with self.stack:
            for bells in self.bells.values():
                self.stack.callback(bells.close)
            if hasattr(self, "device"):
                self.device.close()
