"""Payloads of watching: what a ring looked like at an instant, running totals, and whom they belong to.

``events`` gives all kinds by one name each; nothing else imports from here.
"""

from __future__ import annotations

from tour.trace.events_control import Payload

WATCH = "watch"
"""What Hello.lesson says of a stream that watches a device at work: there are no steps in it."""
WINDOW = 32
"""The newest slots a sample tells of each table."""
QUEUES_MAX = 256
"""Rings of one device: an index is 8 bits [vhost-user, QEMU docs/interop/vhost-user.rst@7.2]."""


class Watching(Payload, frozen=True):
    """What is watched: ``by`` is ``socket`` (the device tells of itself), ``qmp`` (a QEMU's memory is read from
    outside) or ``strace`` (a QEMU's system calls are), ``place`` the socket's path, '' for none, ``pid`` and ``name``
    the process that is the front end (0 and '': none is attached, or not known), ``queues`` how many rings the device
    has."""

    by: str
    place: str
    pid: int = 0
    name: str = ""
    queues: int = 2


class Sample(Payload, frozen=True):
    """Ring ``queue`` as it was read from shared memory between ``t_from`` and ``t_to`` (ns).

    ``steady`` says that two reads of all six words agreed. If not, the ring moved during both tries: each word is then
    of one instant, not all of the same, and only entries that two reads showed alike are told.
    ``avail`` are [slot, head], ``used`` [slot, id, len], ``desc`` [index, gpa, len, flags, next]: at most ``WINDOW``
    each, the newest last. ``used_event`` and ``avail_event`` are None without VIRTIO_F_EVENT_IDX;
    ``last_avail_idx`` is the device's own number, None where it cannot be known. ``held`` says that the worker is
    held (slow motion), ``broken`` why the ring is dead, ``running`` that a device works on it: once it does not, a
    last sample repeats what was seen before.
    """

    queue: int
    t_from: int
    t_to: int
    num: int
    avail_idx: int
    avail_flags: int
    used_idx: int
    used_flags: int
    used_event: int | None = None
    avail_event: int | None = None
    last_avail_idx: int | None = None
    avail: list[list[int]] = []
    used: list[list[int]] = []
    desc: list[list[int]] = []
    steady: bool = True
    held: bool = False
    broken: str = ""
    running: bool = True


class Rates(Payload, frozen=True):
    """Running totals of ring ``queue`` as they stood at ``t`` (ns), from its device's own counters: exact.

    None is what cannot be known from where we look. ``bytes`` are those of the packets with their virtio_net_hdr;
    ``kicks`` wake-ups by the kick doorbell; ``calls_saved`` batches after which no call was wanted; ``turns`` of the
    worker. A rate is the difference of two.
    """

    queue: int
    t: int
    chains: int | None = None
    packets: int | None = None
    bytes: int | None = None
    kicks: int | None = None
    calls: int | None = None
    calls_saved: int | None = None
    turns: int | None = None
    dropped: int | None = None
