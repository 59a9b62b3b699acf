"""Payloads of the control plane: a device opened, calls made, feature words, memory mapped, the worker found.

``events`` gives all kinds by one name each; nothing else imports from here.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Hex = str


class Payload(msgspec.Struct, frozen=True, tag_field="kind", tag=lambda n: n.lower(), omit_defaults=True):
    """Base of all payloads; ``kind`` in the JSON is the class name in lower case."""


class Opened(Payload, frozen=True):
    """A device that is no file came to be: ours, made in this process without any system call. The kernel's is
    opened by a system call of its own, which tells it. ``device`` is the kind in Hello.device."""

    device: str


class Closed(Payload, frozen=True):
    """A device that is no file was closed: ours. The kernel's is closed by a system call of its own, which tells it."""

    device: str


class Syscall(Payload, frozen=True):
    """A system call other than a vhost ioctl: open, mmap, eventfd, a tap's ioctls. ``errno`` is its name."""

    name: str
    args: list[str]
    result: int
    errno: str | None = None


class Ioctl(Payload, frozen=True):
    """One call of the vhost contract. ``request`` is the ioctl number; on the embedded device the call is the
    same but no system call is made (Hello.device says so). ``arg`` is decoded, ``arg_hex`` the struct's bytes
    as passed, ``out_hex`` as returned. ``result`` is -1 with ``errno`` set when it failed."""

    name: str
    request: int
    fd: int
    arg: dict[str, Any]
    arg_hex: Hex
    result: int
    errno: str | None = None
    out: dict[str, Any] = {}
    out_hex: Hex = ""


class Message(Payload, frozen=True):
    """One vhost-user message of a front end and what became of it, as Ioctl is one call. ``name`` is the
    specification's (VHOST_USER_SET_MEM_TABLE) and ``request`` its number, both empty for bytes that were no message.
    ``arg`` is decoded (``index`` the socket's ring number), ``arg_hex`` the payload's bytes, ``fds`` how many
    descriptors came with it. ``result`` is -1 when it was refused: ``fault`` is a MessageFault, ``value`` the
    offending number and ``errno`` the device's reason where it was the device. ``replied`` says whether a message went
    back, ``out`` and ``out_hex`` what it carried, ``closed`` that the connection was closed for it."""

    name: str
    request: int
    flags: int
    arg: dict[str, Any]
    arg_hex: Hex
    fds: int
    result: int
    fault: str = ""
    value: int = 0
    errno: str | None = None
    replied: bool = False
    out: dict[str, Any] = {}
    out_hex: Hex = ""
    closed: bool = False


class Features(Payload, frozen=True):
    """A feature word that is not vhost's own: ``whose`` is ``device`` (what the network device offers to the
    guest's driver, put together by whoever sets it up) or ``driver`` (what the driver acknowledged of it)."""

    whose: Literal["device", "driver"]
    word: int


class Found(msgspec.Struct, frozen=True):
    """A thread that was not there before: id and name (``comm``) as /proc tells them."""

    tid: int
    name: str


class Looked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A folder of /proc listed before and after a call: how many ids it held, and those that are new (at most 8)."""

    folder: str
    before: int
    after: int
    new: list[Found] = []


class Threads(Payload, frozen=True):
    """The worker looked for by comparison around VHOST_SET_OWNER: ``/proc`` shows a kernel thread (up to Linux 6.3),
    ``/proc/self/task`` a thread of the owner (from 6.4, and our own device's). ``tid`` is the one taken for the
    worker, 0 when none is new: inside a pid namespace /proc does not show kernel threads."""

    looked: list[Looked]
    tid: int = 0


class Holders(Payload, frozen=True):
    """A file looked for among the descriptors that /proc/PID/fd shows: ``processes`` and ``descriptors`` looked at,
    ``found`` the processes (at most 8) that have ``path`` open."""

    path: str
    processes: int
    descriptors: int
    found: list[Found] = []


class Region(Payload, frozen=True):
    """One region of guest memory: gpa, size in bytes, hva in the agent, and the memfd and offset behind it. Size 0:
    there is no such region any more."""

    index: int
    gpa: int
    size: int
    hva: int
    fd: int
    offset: int


class Translated(Payload, frozen=True):
    """``size`` bytes at ``gpa`` looked up in our own memory table (memory/table.py): ``hva`` is where they lie, None
    when it refused, and then ``fault`` is the MemoryFault. vhost answers nobody such a question."""

    gpa: int
    size: int
    hva: int | None = None
    fault: str = ""
