"""One vhost-user message: header, payload and the descriptors that come with it."""

from __future__ import annotations

import contextlib
import os
import struct
from dataclasses import dataclass, field

from tour.abi import vhost_user as abi
from tour.errors import MessageError, MessageFault

PAYLOAD_MAX = 1024
"""More than any message of a network device has: 8 regions take 264 bytes, a configuration space 268."""
FDS_MAX = abi.REGIONS_MAX


@dataclass(frozen=True)
class Header:
    """The first 12 bytes."""

    request: int
    flags: int
    size: int


@dataclass
class Message:
    """A message as it came. ``fds`` are ours to close; whoever wants to keep one calls ``take``."""

    request: int
    flags: int
    payload: bytes = b""
    fds: list[int] = field(default_factory=list)

    @property
    def needs_reply(self) -> bool:
        """Whether the sender set need_reply."""
        return bool(self.flags & abi.NEED_REPLY)

    def take(self) -> int:
        """The next descriptor, now the caller's. Raises MessageError(FDS) when there is none."""
        if not self.fds:
            raise MessageError(MessageFault.FDS)
        return self.fds.pop(0)

    def close(self) -> None:
        """Close every descriptor that nobody took."""
        close_all(self.fds)

    def u64(self) -> int:
        """The payload as one number. Raises MessageError(SIZE)."""
        return int(self.numbers("=Q")[0])

    def state(self) -> tuple[int, int]:
        """(index, num) of a vring state. Raises MessageError(SIZE)."""
        index, num = self.numbers(abi.STATE.format)
        return index, num

    def numbers(self, layout: str) -> tuple[int, ...]:
        """The payload taken apart; it must have exactly that size. Raises MessageError(SIZE)."""
        if len(self.payload) != struct.calcsize(layout):
            raise MessageError(MessageFault.SIZE, len(self.payload))
        return struct.unpack(layout, self.payload)


def parse_header(data: bytes) -> Header:
    """The header in exactly 12 bytes, believed only as far as it is checked here.

    Raises MessageError: VERSION, IS_REPLY or TOO_LONG; after that nothing more on this socket can be understood.
    """
    header = Header(*struct.unpack(abi.HEADER.format, data))
    if header.flags & abi.VERSION_MASK != abi.VERSION:
        raise MessageError(MessageFault.VERSION, header.flags)
    if header.flags & abi.REPLY:
        raise MessageError(MessageFault.IS_REPLY, header.flags)
    if header.size > PAYLOAD_MAX:
        raise MessageError(MessageFault.TOO_LONG, header.size)
    return header


def pack(request: int, flags: int, payload: bytes) -> bytes:
    """A whole message's bytes."""
    return abi.HEADER.pack(request, flags, len(payload)) + payload


def close_all(fds: list[int]) -> None:
    """Close all of ``fds`` and forget them."""
    while fds:
        with contextlib.suppress(OSError):
            os.close(fds.pop())
