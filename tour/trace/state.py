"""What a moment looks like: frozen records that a widget, a figure on the site and a test all draw.

Nothing here knows how a state came about (``fold`` does) or how it is drawn (``view`` does).
"""

from __future__ import annotations

from typing import Any

import msgspec

from tour.trace.events import (
    Actor,
    Event,
    Hello,
    Holders,
    Instruction,
    Point,
    Rates,
    Region,
    Sample,
    Threads,
    Translated,
    Watching,
)
from tour.trace.tables import Slots, Table

QUEUE_NAMES = ("rx", "tx")
"""Even queues receive, odd ones transmit [virtio v1.3 5.1.2]."""


class Bell(msgspec.Struct, frozen=True):
    """A doorbell: the eventfd that was made for it, its counter as last told (None: not known), how often it rang;
    ``given`` is the descriptor vhost was told, None while it knows none."""

    fd: int | None = None
    count: int = 0
    total: int = 0
    given: int | None = None


class Ring(msgspec.Struct, frozen=True):
    """One queue. None means never written or not known. GPAs in ``place_*``, HVAs in ``addr_*``.

    ``held`` are the heads the device holds; ``taken`` the descriptors that are not on the free list.
    """

    index: int
    num: int = 0
    place_desc: int = 0
    place_avail: int = 0
    place_used: int = 0
    addr_desc: int | None = None
    addr_avail: int | None = None
    addr_used: int | None = None
    vring_num: int | None = None
    base: int | None = None
    backend: int | None = None
    detached: bool = False
    """A backend socket was taken away with -1."""
    desc: Table[tuple[int, int, int, int] | None] = Table()
    avail_flags: int = 0
    avail_idx: int = 0
    avail_ring: Table[int | None] = Table()
    used_event: int | None = None
    used_flags: int = 0
    used_idx: int = 0
    used_ring: Table[tuple[int, int] | None] = Table()
    avail_event: int | None = None
    last_avail_idx: int = 0
    used_shadow: int = 0
    last_used_idx: int = 0
    avail_shadow: int = 0
    held: Slots = Slots()
    taken: Slots = Slots()
    kick: Bell = Bell()
    call: Bell = Bell()
    err: Bell = Bell()
    broken: str | None = None

    @property
    def name(self) -> str:
        """``rx`` or ``tx``; of further queue pairs ``rx1``, ``tx1`` and so on."""
        return f"{QUEUE_NAMES[self.index % 2]}{self.index // 2 or ''}"

    @property
    def waiting(self) -> int:
        """Published buffers the device has not popped: avail.idx - last_avail_idx, modulo 2^16."""
        return (self.avail_idx - self.last_avail_idx) & 0xFFFF

    @property
    def to_reap(self) -> int:
        """Used entries the driver has not reaped: used.idx - last_used_idx, modulo 2^16."""
        return (self.used_idx - self.last_used_idx) & 0xFFFF

    @property
    def num_free(self) -> int:
        """Descriptors on the driver's free list."""
        return self.num - len(self.taken)

    def chain(self, head: int) -> tuple[int, ...]:
        """Descriptor indices of the chain at ``head``, as the table stands; stops at a loop or a hole."""
        seen: dict[int, None] = {}
        while 0 <= head < len(self.desc) and head not in seen:
            seen[head] = None
            entry = self.desc[head]
            if entry is None or not entry[2] & 1:
                break
            head = entry[3]
        return tuple(seen)

    def with_device(self) -> frozenset[int]:
        """Descriptors that the device holds: all of every chain whose head it holds."""
        return frozenset(index for head in self.held for index in self.chain(head))

    def holder(self, index: int) -> str:
        """Who holds descriptor ``index``: ``free``, ``driver`` or ``device``."""
        if index in self.with_device():
            return "device"
        return "driver" if index in self.taken else "free"


class Mapped(msgspec.Struct, frozen=True):
    """A region of the memory table as VHOST_SET_MEM_TABLE told it: GPA, bytes, HVA."""

    gpa: int
    size: int
    hva: int


class Called(msgspec.Struct, frozen=True):
    """The last ioctl or system call of a step: what it returned, the errno's name where it was refused, and ``num`` of
    the struct that came back (VHOST_GET_VRING_BASE)."""

    name: str = ""
    result: int | None = None
    errno: str = ""
    num: int | None = None


class WorkerState(msgspec.Struct, frozen=True):
    """The worker thread; ``state`` is the letter of /proc/PID/stat."""

    name: str = ""
    tid: int = 0
    form: str = ""
    state: str = ""
    ticks: int = 0


class PeerState(msgspec.Struct, frozen=True):
    """Who is at the other end of the port."""

    name: str = ""
    mac: str = ""
    ip: str = ""
    guest_mac: str = ""
    guest_ip: str = ""
    real: bool = True


class Frame(msgspec.Struct, frozen=True):
    """A frame seen at the port: hex of the Ethernet frame; with its virtio_net_hdr and queue where a device's own
    copy was shown."""

    seq: int
    direction: str
    where: str
    frame: str
    hdr: str = ""
    queue: int | None = None


class CpuState(msgspec.Struct, frozen=True):
    """A guest's processor and its program, as KVM told them last; ``reason`` is why KVM_RUN last came back to us."""

    program: str = ""
    lines: tuple[Instruction, ...] = ()
    ip: int | None = None
    registers: dict[str, int] = {}
    returns: int = 0
    exits: int | None = None
    interrupts: int | None = None
    halted: bool = False
    reason: str = ""
    port: int | None = None
    value: int | None = None


class CheckState(msgspec.Struct, frozen=True):
    """A check of the present step and its verdict."""

    id: str
    ok: bool
    expr: str
    actual: str


class Watched(msgspec.Struct, frozen=True):
    """A queue that is watched: its last two samples, and the totals of the last seconds, oldest first. Its words and
    rows stand in ``State.rings`` like any other's; what only its driver knows (last_used_idx, the free list) does not.
    """

    queue: int
    sample: Sample | None = None
    before: Sample | None = None
    rates: tuple[Rates, ...] = ()

    def per_second(self, total: str, seconds: float = 1.0) -> float | None:
        """How fast ``total`` (a field of Rates) grew over about the last ``seconds``, None where it is not known."""
        if len(self.rates) < 2:
            return None
        last = self.rates[-1]
        first = next((one for one in reversed(self.rates[:-1]) if last.t - one.t >= seconds * 1e9), self.rates[0])
        grown, span = (getattr(last, total), getattr(first, total)), last.t - first.t
        if grown[0] is None or grown[1] is None or span <= 0:
            return None
        return float((grown[0] - grown[1]) * 1e9 / span)


class Apart(msgspec.Struct, frozen=True):
    """What was told of a device that is not spoken to at present: fields of the state and of its rings by name."""

    words: dict[str, Any] = {}
    rings: dict[int, dict[str, Any]] = {}


class State(msgspec.Struct, frozen=True):
    """One moment of a run. ``seq`` is the last event folded in (-1 before the first).

    ``changed`` holds the keys the last telling event changed, with those of the silent ones just before it
    (``pending``); ``step_changed`` all since the step began; a key is what
    ``paths.read`` takes. ``buffers`` maps a GPA to the hexadecimal bytes last written there, ``parts`` to what these
    were said to be.

    What vhost was told stands apart from what there is: ``table`` (None: never told) from ``regions``, a bell's
    ``given`` from its ``fd``, ``features`` (SET_FEATURES) from ``offered`` (GET_FEATURES), ``device_features`` and
    ``driver_features``. ``figures``, ``plots`` and ``listings`` are what was measured and listed, by name; ``cpu`` a
    guest's processor, None without one. ``device_fd`` is the open device (None: not open, -1: ours, which is no file).
    ``serving`` is the number of the device spoken to, whose kind ``hello`` then names; the others are in ``apart``.
    """

    seq: int = -1
    t: int = 0
    hello: Hello | None = None
    device_fd: int | None = None
    device_path: str = ""
    owner: bool = False
    threads: Threads | None = None
    holders: Holders | None = None
    features: int | None = None
    offered: int | None = None
    device_features: int | None = None
    driver_features: int | None = None
    table: tuple[Mapped, ...] | None = None
    regions: tuple[Region, ...] = ()
    translated: Translated | None = None
    rings: tuple[Ring, ...] = (Ring(0), Ring(1))
    worker: WorkerState = WorkerState()
    peer: PeerState = PeerState()
    buffers: dict[int, str] = {}
    parts: dict[int, str] = {}
    frames: tuple[Frame, ...] = ()
    packets_out: int = 0
    packets_in: int = 0
    log: tuple[Event, ...] = ()
    last: Event | None = None
    called: Called = Called()
    acted: Actor | None = None
    changed: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    step_changed: frozenset[str] = frozenset()
    lesson: str = ""
    step: str = ""
    ended: str = ""
    checks: tuple[CheckState, ...] = ()
    lost: int = 0
    finished: bool = False
    watching: Watching | None = None
    watched: tuple[Watched, ...] = ()
    figures: dict[str, int | float | str] = {}
    plots: dict[str, tuple[Point, ...]] = {}
    listings: dict[str, tuple[tuple[str, ...], ...]] = {}
    cpu: CpuState | None = None
    serving: int = 0
    apart: dict[int, Apart] = {}

    def watched_of(self, queue: int) -> Watched:
        """What watching told of that queue, blank when nothing."""
        return next((one for one in self.watched if one.queue == queue), Watched(queue))

    @property
    def opened(self) -> bool:
        """Whether there is a device, the kernel's or ours."""
        return self.device_fd is not None

    @property
    def mem_table(self) -> int:
        """Regions of the memory table vhost was told."""
        return len(self.table or ())

    @property
    def rx(self) -> Ring:
        """The receive queue."""
        return self.rings[0]

    @property
    def tx(self) -> Ring:
        """The transmit queue."""
        return self.rings[1]
