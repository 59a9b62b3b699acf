"""What a program made from a recording does, one act after another; made by ``walk``, written out by ``c``, ``python``.

A descriptor is a name (a variable of the program), a number only where no call of the recording made it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from tour.errors import UsageError

STATE = ("VHOST_SET_VRING_NUM", "VHOST_SET_VRING_BASE", "VHOST_GET_VRING_BASE", "VHOST_SET_VRING_ENDIAN",
         "VHOST_GET_VRING_ENDIAN", "VHOST_SET_VRING_BUSYLOOP_TIMEOUT", "VHOST_GET_VRING_BUSYLOOP_TIMEOUT")  # fmt: skip
FILE = ("VHOST_SET_VRING_KICK", "VHOST_SET_VRING_CALL", "VHOST_SET_VRING_ERR", "VHOST_NET_SET_BACKEND")
WORD = ("VHOST_GET_FEATURES", "VHOST_SET_FEATURES", "VHOST_GET_BACKEND_FEATURES", "VHOST_SET_BACKEND_FEATURES")
NOTHING = ("VHOST_SET_OWNER", "VHOST_RESET_OWNER")
"""vhost's calls by the kind of argument they take: vhost_vring_state, vhost_vring_file, a __u64, none."""


class ExportError(UsageError):
    """A recording that cannot be written in the form asked for."""


@contextmanager
def telling() -> Iterator[None]:
    """Whatever a damaged or hostile recording makes go wrong inside is an ExportError."""
    try:
        yield
    except (LookupError, ValueError, TypeError, OverflowError, AttributeError, struct.error) as error:
        raise ExportError("This recording cannot be written in that form.", str(error)) from error


class Act(msgspec.Struct, frozen=True):
    """Base of all acts."""


class Begin(Act, frozen=True):
    """A lesson's step begins."""

    step: str


class End(Act, frozen=True):
    """It ends, on that condition."""

    step: str
    ended: str


class Say(Act, frozen=True):
    """What cannot be expressed, or is only told."""

    text: str


class Open(Act, frozen=True):
    """open(2) of ``path``; ``fd`` names the descriptor that it makes."""

    path: str
    flags: str
    fd: str
    errno: str = ""


class Eventfd(Act, frozen=True):
    """eventfd2(2), the counter at 0."""

    flags: str
    fd: str


class Pipe(Act, frozen=True):
    """pipe2(2): the end one reads, the end one writes."""

    ends: tuple[str, str]
    flags: str


class Plain(Act, frozen=True):
    """A system call of a few that need no memory: socket, close, getsockopt(SO_TYPE), a read of an empty eventfd.
    Of ``args`` a text is written as it stands; ``shown`` is what came back where that is compared."""

    name: str
    args: tuple[str | int, ...]
    errno: str = ""
    fd: str = ""
    shown: str = ""


class Tun(Act, frozen=True):
    """An ioctl of a tap: TUNSETIFF with the interface's name and flags, others with a number."""

    name: str
    fd: str | int
    number: int = 0
    link: str = ""
    flags: str = ""
    errno: str = ""


class Link(Act, frozen=True):
    """The peer: the tap's own interface, up, with an address, knowing the guest's."""

    name: str
    mac: str
    ip: str
    guest_mac: str
    guest_ip: str


class Map(Act, frozen=True):
    """A region of guest memory is made and mapped."""

    index: int
    gpa: int
    size: int


class Hva(Act, frozen=True):
    """Where guest address ``gpa`` is mapped (None: an address that is nothing of ours, ``raw``)."""

    gpa: int | None
    raw: int


class Vhost(Act, frozen=True):
    """One call of vhost: ``args`` by the kernel's names, addresses as Hva, descriptors as names. ``out`` is what it
    gave back, ``errno`` empty where it succeeded."""

    name: str
    request: int
    fd: str | int
    args: dict[str, Any]
    raw: str
    errno: str = ""
    out: dict[str, Any] = {}


class Put(Act, frozen=True):
    """The driver writes bytes into a buffer."""

    gpa: int
    data: bytes
    what: str


class Desc(Act, frozen=True):
    """The driver fills a descriptor."""

    gpa: int
    field: str
    addr: int
    len: int
    flags: int
    next: int


class Word(Act, frozen=True):
    """The driver writes a 16-bit word of a ring; ``release`` where it publishes."""

    gpa: int
    field: str
    value: int
    release: bool = False


class Kick(Act, frozen=True):
    """The driver rings."""

    queue: str
    fd: str | int


class Drain(Act, frozen=True):
    """The driver reads its call eventfd: ``value`` calls."""

    queue: str
    fd: str | int
    value: int


class Await(Act, frozen=True):
    """The device moves: ``field`` of ``queue`` becomes ``value``. ``call`` rings when it may have."""

    queue: str
    field: str
    gpa: int
    value: int
    call: str | int


class Used(Act, frozen=True):
    """A used entry that the device wrote."""

    queue: str
    slot: int
    gpa: int
    id: int
    len: int


class Bytes(Act, frozen=True):
    """Bytes that the device wrote into a buffer."""

    gpa: int
    data: bytes


class Still(Act, frozen=True):
    """For 200 ms nothing moves: used.idx of each queue is ``idx`` (by its address)."""

    idx: dict[str, tuple[int, int]]


class Reap(Act, frozen=True):
    """The driver takes a chain back; nothing in memory moves."""

    queue: str
    head: int
    len: int


class NotOpen(Act, frozen=True):
    """No descriptor of ours leads to ``path``."""

    path: str


def made_by(act: Act) -> tuple[str, ...]:
    """Names of the descriptors that an act makes."""
    if isinstance(act, Pipe):
        return act.ends
    return (act.fd,) if isinstance(act, Open | Eventfd) or (isinstance(act, Plain) and act.fd) else ()


class Program(msgspec.Struct, frozen=True):
    """A whole one. ``fds`` are the names of its descriptors, ``regions`` how many there are of guest memory."""

    lesson: str
    kernel: str
    device: str
    net: str
    started: str
    forked_from: str
    acts: tuple[Act, ...]
    fds: tuple[str, ...]
    regions: int

    @property
    def parts(self) -> list[tuple[str, list[Act]]]:
        """The acts by step, in order; those before the first step under the empty name."""
        found: list[tuple[str, list[Act]]] = [("", [])]
        for act in self.acts:
            if isinstance(act, Begin):
                found.append((act.step, []))
            found[-1][1].append(act)
        return [part for part in found if part[1]]


def about(program: Program, how: str) -> list[str]:
    """What the program is, as a program says it at its head; ``how`` builds and runs it."""
    device = f"{program.device} device, Linux {program.kernel}, {program.started}"
    told = [f"Lesson {program.lesson} of vhost-tour, as recorded on the {device}."]
    if program.forked_from:
        told.append(f"A fork, taken at {program.forked_from}.")
    if program.device != "kernel":
        told.append("In the recording vhost's calls were none of the system's; here they are made on /dev/vhost-net.")
    return [*told, how, "Exit code 0: everything is as it was recorded."]
