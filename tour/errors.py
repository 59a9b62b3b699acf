"""Every error a user may meet: what happened, why, and the exact command that mends it.

Exit codes are the command line's own (see ``docs/errors.md``): 1 a check failed, 2 wrong usage or an
unreadable file, 3 something this machine lacks, 4 a defect of ours, 124 a time-out, 130 Ctrl-C.
"""

from __future__ import annotations

import errno
from enum import StrEnum


def errno_name(error: OSError, unknown: str = "EIO") -> str:
    """The name that Linux gives to the errno of ``error``; Python's table says ENOTSUP for its EOPNOTSUPP."""
    if error.errno == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"
    return errno.errorcode.get(error.errno or 0, unknown)


class TourError(Exception):
    """Base of every error meant for a person.

    ``what`` is a whole sentence; ``why`` one more, ``fix`` a command or an action (both may be empty).
    """

    exit_code = 4

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        parts = [self.what, self.why, f"To mend it: {self.fix}" if self.fix else ""]
        return "\n".join(part for part in parts if part)


class CheckFailed(TourError):
    """A lesson's check did not hold."""

    exit_code = 1


class UsageError(TourError):
    """A bad argument, an unreadable or newer file."""

    exit_code = 2


class CapabilityMissing(TourError):
    """Something this machine does not have or does not allow; ``name`` is what TOUR_REQUIRE calls it."""

    exit_code = 3

    def __init__(self, name: str, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self.name = name


class AgentLost(TourError):
    """The agent ended or stopped answering; the front end lives on."""


class TimedOut(TourError):
    """A bound was reached."""

    exit_code = 124


class MemoryFault(StrEnum):
    """Why a guest address range was refused."""

    UNMAPPED = "unmapped"
    OVERFLOW = "overflow"
    CROSSES_END = "crosses the end of a region"
    READ_ONLY = "read-only"


class GuestMemoryError(TourError):
    """A guest physical range that no region holds whole.

    ``gpa`` and ``size`` are the offending range in bytes.
    """

    def __init__(self, reason: MemoryFault, gpa: int, size: int) -> None:
        super().__init__(f"Guest range {gpa:#x}+{size:#x} was refused: {reason.value}.")
        self.reason = reason
        self.gpa = gpa
        self.size = size


class RingFault(StrEnum):
    """What a ring's other side did wrong."""

    BAD_SIZE = "queue size is not a power of two in 1..32768"
    MISALIGNED = "ring part is misaligned"
    AVAIL_JUMP = "avail.idx moved by more than the queue size"
    USED_JUMP = "used.idx moved by more than what is outstanding"
    HEAD_RANGE = "head is outside the descriptor table"
    NEXT_RANGE = "next is outside the descriptor table"
    CHAIN_LOOP = "chain is longer than its table"
    BAD_ADDRESS = "descriptor points outside guest memory"
    INDIRECT_SIZE = "indirect table's length is zero, no multiple of 16, or more than 1 MiB"
    INDIRECT_NESTED = "indirect table inside an indirect table"
    INDIRECT_NEXT = "INDIRECT together with NEXT"
    INDIRECT_OFF = "INDIRECT without the feature"
    READ_AFTER_WRITE = "device-readable descriptor after a device-writable one"
    TOO_MANY = "chain has more than 1024 buffers"
    WRONG_DIRECTION = "descriptor's direction does not fit the queue"
    TOO_SHORT = "chain is shorter than virtio_net_hdr"
    NOT_OUTSTANDING = "used entry names a head that is not outstanding"
    USED_LENGTH = "used length is more than the chain's writable bytes"
    FULL = "no free descriptor left"
    SHORT_USED = "received packet is shorter than virtio_net_hdr"
    NUM_BUFFERS = "num_buffers is zero or more than the queue holds"


class RingError(TourError):
    """A rule of the split ring was broken by the other side.

    ``queue`` is the ring's index, ``index`` the descriptor or slot, ``value`` the offending number,
    ``cite`` the clause of the virtio specification.
    """

    def __init__(self, reason: RingFault, queue: int, index: int = 0, value: int = 0, cite: str = "") -> None:
        super().__init__(f"Queue {queue}: {reason.value} (at {index}, value {value:#x}). {cite}".strip())
        self.reason = reason
        self.queue = queue
        self.index = index
        self.value = value
        self.cite = cite


class MessageFault(StrEnum):
    """Why a vhost-user message was refused."""

    VERSION = "the message is not of version 1"
    IS_REPLY = "the message says that it is a reply"
    TOO_LONG = "the payload is longer than any message's"
    HALF = "the message was not finished in time"
    FDS_LOST = "more descriptors came than a message may bring"
    UNKNOWN = "there is no such message here"
    SIZE = "the payload has not this message's size"
    FDS = "not the number of descriptors that this message brings"
    NOT_NEGOTIATED = "the feature that this message belongs to was not negotiated"
    FEATURES = "a feature bit that was not offered"
    RING_INDEX = "there is no such ring"
    RUNNING = "the ring is running"
    NO_KICK = "a ring without a kick descriptor would have to be polled"
    REGIONS = "more memory regions than a message may tell, or none"
    REGION_EMPTY = "a memory region is empty"
    REGION_WRAPS = "a memory region runs past 2^64"
    REGION_ALIGN = "a memory region is not whole pages"
    REGION_OVERLAP = "memory regions overlap"
    REGION_FILE = "a memory region lies beyond its file"
    REGION_MAP = "a memory region's file cannot be mapped"
    NO_MEMORY = "no memory table was told"
    RING_ADDRESS = "a ring part lies outside guest memory"
    RING_START = "the device could not start the ring where it was told to be"
    LOG_SIZE = "the dirty log does not cover guest memory"
    NO_REPLIES_READ = "the front end does not read its replies"
    DEVICE = "the device refused it"


class MessageError(TourError):
    """A vhost-user front end's message that was refused: ``fault``, and the offending number in ``value``
    (for DEVICE: ``code`` is the errno's name). ``told``: an event says so already."""

    def __init__(self, fault: MessageFault, value: int = 0, code: str = "") -> None:
        super().__init__(f"The message was refused: {fault.value} ({code or hex(value)}).")
        self.fault = fault
        self.value = value
        self.code = code
        self.told = False


class NotOffered(TourError):
    """A call of the contract that this implementation does not have."""
