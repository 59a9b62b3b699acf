"""The one record everything is made of.

An event is a frozen record: sequence number, monotonic nanoseconds, who acted, how we know, and a payload.
A recording, the agent's wire and the screen all carry nothing else. ``docs/trace-format.md`` describes the
JSON; ``SCHEMA`` changes when an old reader would misread a new line.

Byte strings travel as lower-case hexadecimal text (type ``Hex``): readable in a diff, trivial in a browser.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from tour.trace.events_control import (
    Closed,
    Features,
    Found,
    Hex,
    Holders,
    Ioctl,
    Looked,
    Message,
    Opened,
    Payload,
    Region,
    Syscall,
    Threads,
    Translated,
)
from tour.trace.events_course import Answer, Bye, Check, Done, Error, Lost, Note, Question, Step
from tour.trace.events_measure import POINTS_MAX, ROWS_MAX, Cpu, Exit, Figure, Instruction, Listing, Point, Program
from tour.trace.events_move import Serving
from tour.trace.events_sample import QUEUES_MAX, WATCH, WINDOW, Rates, Sample, Watching

__all__ = [
    "POINTS_MAX",
    "QUEUES_MAX",
    "ROWS_MAX",
    "WATCH",
    "WINDOW",
    "Answer",
    "Bye",
    "Check",
    "Closed",
    "Cpu",
    "Done",
    "Error",
    "Exit",
    "Features",
    "Figure",
    "Found",
    "Hex",
    "Holders",
    "Instruction",
    "Ioctl",
    "Listing",
    "Looked",
    "Lost",
    "Message",
    "Note",
    "Opened",
    "Payload",
    "Point",
    "Program",
    "Question",
    "Rates",
    "Region",
    "Sample",
    "Serving",
    "Step",
    "Syscall",
    "Threads",
    "Translated",
    "Watching",
]
"""Kinds of the control plane, of a lesson's course, of watching, measuring and moving, told from here as all others."""

SCHEMA = 3
PROTOCOL = 1
LINE_MAX = 1 << 20
OBJECTS_MAX = 500
DEEPEST = 8
"""Bounds of one line: objects in it, lists begun at one place. How deep Python itself goes depends on its version."""

T = TypeVar("T")
Actor = Literal["control", "driver", "device", "network", "tour"]
Source = Literal["control", "driver", "device", "observer", "tour"]


class Hello(Payload, frozen=True):
    """First line of every stream. ``device`` is kernel, embedded or vhost-user; ``net`` tap, socketpair or none;
    ``kernel`` is uname -r; ``started`` wall-clock time, ISO 8601 UTC; ``forked_from`` such as ``8:publish``;
    ``why_not_kernel`` and ``why_not_tap`` are what happened, why and what mends it, a line each; ``pid`` is the
    agent's process, as it knows itself (0: not told). ``gear`` says what turned an embedded device's rings:
    ``python``, each step told, or ``engine``, in C and looked at from outside (''
    not told: ``python``, or not ours). ``scene`` is the SHA-256 of the lesson's ``scene.py`` that ran, 64 hex digits
    ('' not told, or no lesson)."""

    protocol: int
    schema: int
    tour: str
    device: str
    kernel: str
    net: str
    lesson: str
    started: str
    machine: str = ""
    forked_from: str | None = None
    variant: str | None = None
    why_not_kernel: str = ""
    why_not_tap: str = ""
    pid: int = 0
    gear: str = ""
    scene: str = ""

    @property
    def ran_on(self) -> str:
        """``device``, but ``engine`` for an embedded device whose rings the C engine turned."""
        return "engine" if self.gear == "engine" else self.device

    @property
    def looked_at(self) -> bool:
        """Whether the device's own steps were not told, only looked at from outside."""
        return self.device != "embedded" or self.gear == "engine"


class RingPlace(Payload, frozen=True):
    """Where the parts of a ring lie (GPAs) and its size, told once by whoever laid it out."""

    queue: int
    num: int
    desc: int
    avail: int
    used: int


class Store(Payload, frozen=True):
    """One ring word or entry written. ``field`` is ``desc[0]``, ``avail.idx``, ``avail.ring[3]``,
    ``avail.flags``, ``avail.used_event``, ``used.idx``, ``used.ring[3]``, ``used.flags`` or
    ``used.avail_event``. ``before`` and ``after`` are the bytes read from memory around the store;
    ``old`` and ``new`` the same, decoded: [n] for a word, [gpa, len, flags, next] for a descriptor,
    [id, len] for a used element."""

    queue: int
    field: str
    gpa: int
    before: Hex
    after: Hex
    old: list[int]
    new: list[int]


class Write(Payload, frozen=True):
    """Bytes written into a buffer in guest memory (by the driver before TX, by the device on RX).
    ``what`` names the part: ``net_hdr``, ``frame`` or ``buffer``."""

    queue: int
    gpa: int
    before: Hex
    after: Hex
    what: str = "buffer"


class Private(Payload, frozen=True):
    """A private index of one party moved. ``name`` is ``last_avail_idx`` (device's next to read),
    ``used_shadow`` (device's next to write), ``last_used_idx`` (driver's next to read), ``avail_shadow``
    (driver's next to write) or ``num_free``. A device's private index on the kernel comes from
    VHOST_GET_VRING_BASE only, with source ``observer``."""

    queue: int
    name: str
    before: int
    after: int


class Snapshot(Payload, frozen=True):
    """The device's half of a ring as observed between ``t_from`` and ``t_to`` (ns): kept only if two reads of
    idx and flags agree. ``used`` holds [slot, id, len] of the entries that are new since the last snapshot.
    What happened between two snapshots is inferred."""

    queue: int
    t_from: int
    t_to: int
    used_flags: int
    used_idx: int
    used: list[list[int]]
    avail_event: int | None = None


class Kick(Payload, frozen=True):
    """The driver wrote the kick eventfd: ``value`` added (always 1), ``count`` the eventfd's counter after it."""

    queue: int
    fd: int
    count: int
    value: int = 1


class Call(Payload, frozen=True):
    """The device wrote the call eventfd; ``count`` is the eventfd's counter after it."""

    queue: int
    fd: int
    count: int


class Drain(Payload, frozen=True):
    """The driver read its call eventfd: got ``value``, the counter is 0 again."""

    queue: int
    fd: int
    value: int


class Count(Payload, frozen=True):
    """A doorbell's counter read from /proc/PID/fdinfo. ``doorbell`` is kick, call or err."""

    queue: int
    doorbell: str
    fd: int
    count: int


class Doorbell(Payload, frozen=True):
    """An eventfd was made for a ring."""

    queue: int
    doorbell: str
    fd: int


class Action(Payload, frozen=True):
    """One verb of the ring done by one actor: add, publish, kick, pop, map, send, receive, fill, flush, call,
    reap, wait. ``detail`` holds numbers worth showing (head, slot, gpa, hva, len)."""

    verb: str
    queue: int
    detail: dict[str, int | str] = {}


class Packet(Payload, frozen=True):
    """A frame seen on its way. ``direction`` is ``out`` (from the guest) or ``in``; ``where`` is ``port``
    (device's side of the tap or socketpair) or ``tap`` (AF_PACKET in our namespace); ``hdr`` the
    virtio_net_hdr where there is one."""

    direction: str
    where: str
    frame: Hex
    hdr: Hex = ""
    queue: int | None = None


class Worker(Payload, frozen=True):
    """The worker thread as /proc tells it: ``form`` kthread, thread or ours; ``state`` the letter of
    /proc/PID/stat; ``ticks`` utime + stime."""

    name: str
    tid: int
    form: str
    state: str
    ticks: int = 0


class Peer(Payload, frozen=True):
    """The other end of the port: its addresses and whether it is a real network stack or our responder."""

    name: str
    mac: str
    ip: str
    guest_mac: str
    guest_ip: str
    real: bool


class Broken(Payload, frozen=True):
    """A ring was stopped because its other side broke a rule; ``reason`` is a RingFault."""

    queue: int
    reason: str
    policy: str


AnyPayload = (
    Hello | Opened | Closed | Syscall | Ioctl | Message | Features | Threads | Holders | Region | Translated | RingPlace
    | Store | Write | Private | Snapshot | Kick | Call | Drain | Count | Doorbell | Action | Packet | Worker | Peer
    | Step | Watching | Sample | Rates | Figure | Point | Listing | Program | Cpu | Exit | Serving
    | Note | Broken | Question | Answer | Check | Error | Lost | Done | Bye
)  # fmt: skip

DATA_PLANE = (Store, Write, Private, Snapshot, Kick, Call, Drain, Count, Action, Packet, Worker, Sample, Rates)


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record. ``where`` is the source line of ours that did it (``virtqueue/driver.py:88``) and ``code``
    that line's text; both empty for what the kernel did."""

    seq: int
    t: int
    actor: Actor
    source: Source
    data: AnyPayload
    inferred: bool = False
    where: str = ""
    code: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One JSON line, newline included, at most ``LINE_MAX`` bytes.

    Raises ValueError when the line would be longer.
    """
    line = _encoder.encode(event) + b"\n"
    if len(line) > LINE_MAX:
        raise ValueError(f"event {event.seq} takes {len(line)} bytes, the limit is {LINE_MAX}")
    return line


def decode(line: bytes) -> Event:
    """The event in one JSON line. Raises msgspec.DecodeError or msgspec.ValidationError."""
    return decode_line(_decoder, line)


def decode_line(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    """What ``decoder`` makes of one line of at most ``LINE_MAX`` bytes; anything else is a msgspec.DecodeError."""
    if len(line) > LINE_MAX:
        raise msgspec.DecodeError(f"line of {len(line)} bytes, the limit is {LINE_MAX}")
    if line.count(b"{") > OBJECTS_MAX or b"[" * DEEPEST in line:
        raise msgspec.DecodeError("nested too deeply")
    try:
        return decoder.decode(line)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
