"""Following a descriptor chain that the other side wrote: every number checked once, every loop bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tour.abi.names import DescFlag
from tour.errors import GuestMemoryError, RingError, RingFault
from tour.memory.table import Span
from tour.virtqueue.layout import DESC_SIZE
from tour.virtqueue.ring import Desc, Translator, unpack_desc

NEXT, WRITE, INDIRECT = int(DescFlag.NEXT), int(DescFlag.WRITE), int(DescFlag.INDIRECT)
INDIRECT_MAX = 1 << 16
"""Entries an indirect table can have: ``next`` has 16 bits."""


PIECES_MAX = 1024
"""Pieces of memory a chain may have: UIO_MAXIOV, as the kernel's vhost (drivers/vhost/net.c, vhost_net_open@6.1)."""


class Buffer(NamedTuple):
    """``len`` bytes of guest memory at guest address ``gpa``."""

    gpa: int
    len: int


@dataclass(frozen=True)
class Chain:
    """One chain as the device took it from the ring, a copy that the driver can no longer change.

    ``readable`` are the buffers the driver filled, ``writable`` those the device may fill, in chain order.
    """

    head: int
    readable: tuple[Buffer, ...]
    writable: tuple[Buffer, ...]

    @property
    def readable_len(self) -> int:
        """Bytes the driver filled."""
        return sum(buffer.len for buffer in self.readable)

    @property
    def writable_len(self) -> int:
        """Bytes the device may fill."""
        return sum(buffer.len for buffer in self.writable)


@dataclass(frozen=True)
class Mapped:
    """A chain whose buffers are found in this process; spans are never empty."""

    head: int
    readable: tuple[Span, ...]
    writable: tuple[Span, ...]

    @property
    def readable_len(self) -> int:
        """Bytes the driver filled."""
        return sum(span.size for span in self.readable)

    @property
    def writable_len(self) -> int:
        """Bytes the device may fill."""
        return sum(span.size for span in self.writable)


class Walker:
    """Follows the chains of one queue. ``num`` is its size, ``indirect`` whether INDIRECT_DESC is on."""

    def __init__(self, queue: int, num: int, table: Translator, indirect: bool) -> None:
        self.queue = queue
        self.num = num
        self.table = table
        self.indirect = indirect

    def chain(self, head: int, read: Callable[[int], Desc]) -> Chain:
        """The chain that begins at ``head``; ``read(i)`` copies descriptor i. Raises RingError.

        Readable buffers come first (virtio v1.3 2.7.4.2).
        """
        readable: list[Buffer] = []
        writable: list[Buffer] = []
        for index, desc in self._descriptors(head, read):
            if desc.flags & WRITE:
                writable.append(Buffer(desc.addr, desc.len))
            elif writable:
                raise self._fault(RingFault.READ_AFTER_WRITE, index, desc.flags, "2.7.4.2")
            else:
                readable.append(Buffer(desc.addr, desc.len))
        return Chain(head, tuple(readable), tuple(writable))

    def _descriptors(self, head: int, read: Callable[[int], Desc]) -> Iterator[tuple[int, Desc]]:
        """Every buffer's descriptor, the indirect table's in place of the one that names the table."""
        for index, desc in self.follow(head, self.num, read):
            if desc.flags & INDIRECT:
                yield from self._indirect(index, desc)
            else:
                yield index, desc

    def follow(self, first: int, count: int, read: Callable[[int], Desc]) -> Iterator[tuple[int, Desc]]:
        """From ``first`` along ``next``, at most ``count`` descriptors: more can only be a loop."""
        index = first
        for _ in range(count):
            desc = read(index)
            yield index, desc
            if not desc.flags & NEXT:
                return
            if desc.next >= count:
                raise self._fault(RingFault.NEXT_RANGE, index, desc.next, "2.7.5")
            index = desc.next
        raise self._fault(RingFault.CHAIN_LOOP, first, index, "2.7.5.2")

    def _indirect(self, at: int, desc: Desc) -> Iterable[tuple[int, Desc]]:
        """The descriptors of an indirect table, copied whole before the first is looked at."""
        if not self.indirect:
            raise self._fault(RingFault.INDIRECT_OFF, at, desc.flags, "2.7.5.3.1")
        if desc.flags & NEXT:
            raise self._fault(RingFault.INDIRECT_NEXT, at, desc.flags, "2.7.5.3.1")
        if desc.len == 0 or desc.len % DESC_SIZE or desc.len > INDIRECT_MAX * DESC_SIZE:
            raise self._fault(RingFault.INDIRECT_SIZE, at, desc.len, "2.7.5.3")
        table = self._copy(at, desc)
        for index, entry in self.follow(0, desc.len // DESC_SIZE, table):
            if entry.flags & INDIRECT:
                raise self._fault(RingFault.INDIRECT_NESTED, index, entry.flags, "2.7.5.3.1")
            yield index, entry

    def _copy(self, at: int, desc: Desc) -> Callable[[int], Desc]:
        try:
            data = self.table.read(desc.addr, desc.len)
        except GuestMemoryError as error:
            raise self._fault(RingFault.BAD_ADDRESS, at, desc.addr, "2.7.5.3") from error
        return lambda index: unpack_desc(data[DESC_SIZE * index : DESC_SIZE * (index + 1)])

    def map(self, chain: Chain) -> Mapped:
        """Where the chain's buffers lie in this process. Raises RingError(BAD_ADDRESS or TOO_MANY)."""
        readable = self._spans(chain.head, chain.readable, PIECES_MAX)
        writable = self._spans(chain.head, chain.writable, PIECES_MAX - len(readable))
        return Mapped(chain.head, readable, writable)

    def _spans(self, head: int, buffers: Iterable[Buffer], room: int) -> tuple[Span, ...]:
        found: list[Span] = []
        for gpa, size in buffers:
            try:
                found += self.table.spans(gpa, size)
            except GuestMemoryError as error:
                raise self._fault(RingFault.BAD_ADDRESS, head, error.gpa, "2.7.5") from error
            if len(found) > room:
                raise self._fault(RingFault.TOO_MANY, head, len(found), "2.7.5.3")
        return tuple(found)

    def _fault(self, reason: RingFault, index: int, value: int, clause: str) -> RingError:
        return RingError(reason, self.queue, index, value, f"virtio v1.3 {clause}")
