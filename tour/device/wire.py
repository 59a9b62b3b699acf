"""The few arguments of the contract that ``abi.layouts`` has no struct for, and a ring's addresses."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tour.abi import layouts


@dataclass(frozen=True)
class RingAddresses:
    """Where a ring's three parts lie: addresses in the caller's own address space (HVAs), never GPAs.

    ``log_gpa`` is the used ring's guest address for the dirty log; ``flags`` bit 0 (VHOST_VRING_F_LOG)
    switches that logging on.
    """

    desc: int
    avail: int
    used: int
    log_gpa: int = 0
    flags: int = 0

    def pack(self, index: int) -> bytes:
        """As a struct vhost_vring_addr of ring ``index``."""
        return layouts.pack_vring_addr(index, self.flags, self.desc, self.used, self.avail, self.log_gpa)


def word(number: int) -> bytes:
    """A ``__u64``: feature words and the dirty log's address."""
    return number.to_bytes(8, sys.byteorder)


def parse_word(raw: bytes) -> int:
    """The number in a ``__u64``."""
    return int.from_bytes(raw[:8], sys.byteorder)


def single_fd(fd: int) -> bytes:
    """An ``int``: the dirty log's eventfd."""
    return fd.to_bytes(4, sys.byteorder, signed=True)
