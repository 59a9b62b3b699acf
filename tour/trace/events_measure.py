"""Payloads of what a run measured, listed or counted, and of a guest's processor in KVM.

What they are called in words stands in the lesson (``tour.lesson.labels``): an event carries names and numbers only.
``events`` gives all kinds by one name each; nothing else imports from here.
"""

from __future__ import annotations

import msgspec

from tour.trace.events_control import Hex, Payload

ROWS_MAX = 400
POINTS_MAX = 2000
"""How many rows of one listing, and points of one plot, a state keeps."""


class Figure(Payload, frozen=True):
    """A number counted or measured in this run, or a short text read from outside. ``name`` is dotted words
    (``loop.syscalls``), a number is finite; a later one of that name takes its place. Units are the lesson's to say."""

    name: str
    value: int | float | str


class Point(Payload, frozen=True):
    """One more point of ``series`` in the plot of that name, measured in this run; both numbers are finite."""

    plot: str
    series: str
    x: float
    y: float


class Listing(Payload, frozen=True):
    """Rows of text read or put together at one time: a process table, descriptors, copies of a frame. A later one of
    that name takes its place. A cell ``@key`` is one of the lesson's words."""

    name: str
    rows: list[list[str]]


class Instruction(msgspec.Struct, frozen=True, array_like=True):
    """One machine instruction: where it lies (GPA), its bytes, its text, and a word of the lesson on it."""

    gpa: int
    code: Hex
    text: str
    word: str = ""


class Program(Payload, frozen=True):
    """A guest's program was put into its memory: disassembled from the bytes that lie there."""

    name: str
    lines: list[Instruction]


class Cpu(Payload, frozen=True):
    """A virtual processor as KVM tells it. ``ip`` is where it goes on (GPA), ``registers`` by name, ``returns`` how
    often KVM_RUN came back to us, ``exits`` how often the guest left guest mode and ``interrupts`` how many were
    injected (KVM_GET_STATS_FD; None: not told by this kernel), ``halted`` whether it waits for one."""

    ip: int
    registers: dict[str, int]
    returns: int
    exits: int | None = None
    interrupts: int | None = None
    halted: bool = False


class Exit(Payload, frozen=True):
    """KVM_RUN came back to us: ``reason`` as kvm.h names it (``IO``, ``HLT``, ``INTR``), with what it carries of an
    access to a port: number, bytes, the value written."""

    reason: str
    port: int | None = None
    size: int | None = None
    value: int | None = None
