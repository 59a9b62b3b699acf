"""Where the words of a split ring lie (virtio v1.3 2.7).

Three tables and, per table, one writer: the descriptor table and the available ring are the driver's, the
used ring is the device's::

    desc    num x 16 bytes                                  aligned 16
    avail   flags, idx, ring[num] of u16, used_event        aligned 2      6 + 2 x num bytes
    used    flags, idx, ring[num] of {id, len}, avail_event aligned 4      6 + 8 x num bytes

The addresses may be guest addresses or addresses in this process: the arithmetic is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from tour.errors import RingError, RingFault

MAX_NUM = 1 << 15
DESC_ALIGN, AVAIL_ALIGN, USED_ALIGN = 16, 2, 4
DESC_SIZE, USED_ELEM_SIZE = 16, 8


@dataclass(frozen=True)
class RingLayout:
    """A ring of ``num`` descriptors and the addresses of its three parts, in bytes."""

    num: int
    desc: int
    avail: int
    used: int

    @property
    def desc_size(self) -> int:
        """Bytes of the descriptor table."""
        return DESC_SIZE * self.num

    @property
    def avail_size(self) -> int:
        """Bytes of the available ring: flags, idx, the entries, used_event."""
        return 2 + 2 + 2 * self.num + 2

    @property
    def used_size(self) -> int:
        """Bytes of the used ring: flags, idx, the elements, avail_event."""
        return 2 + 2 + USED_ELEM_SIZE * self.num + 2

    def desc_at(self, index: int) -> int:
        """Address of descriptor ``index``."""
        return self.desc + DESC_SIZE * index

    @property
    def avail_flags(self) -> int:
        """Address of avail.flags."""
        return self.avail

    @property
    def avail_idx(self) -> int:
        """Address of avail.idx."""
        return self.avail + 2

    def avail_ring(self, slot: int) -> int:
        """Address of avail.ring[slot]."""
        return self.avail + 4 + 2 * slot

    @property
    def used_event(self) -> int:
        """Address of used_event: the driver writes it, so it lies behind the available ring."""
        return self.avail + 4 + 2 * self.num

    @property
    def used_flags(self) -> int:
        """Address of used.flags."""
        return self.used

    @property
    def used_idx(self) -> int:
        """Address of used.idx."""
        return self.used + 2

    def used_ring(self, slot: int) -> int:
        """Address of used.ring[slot]."""
        return self.used + 4 + USED_ELEM_SIZE * slot

    @property
    def avail_event(self) -> int:
        """Address of avail_event: the device writes it, so it lies behind the used ring."""
        return self.used + 4 + USED_ELEM_SIZE * self.num

    def check(self, queue: int = 0, desc_align: int = DESC_ALIGN) -> None:
        """Raise RingError(BAD_SIZE or MISALIGNED) unless size and addresses obey virtio v1.3 2.7.

        The kernel itself takes any descriptor address (``desc_align`` 1).
        """
        if not 0 < self.num <= MAX_NUM or self.num & (self.num - 1):
            raise RingError(RingFault.BAD_SIZE, queue, 0, self.num, "virtio v1.3 2.7")
        aligned = ((self.desc, desc_align), (self.avail, AVAIL_ALIGN), (self.used, USED_ALIGN))
        for part, (address, alignment) in enumerate(aligned):
            if address % alignment:
                raise RingError(RingFault.MISALIGNED, queue, part, address, "virtio v1.3 2.7")


def plan(num: int, base: int) -> RingLayout:
    """A ring of ``num`` descriptors from address ``base`` on, the parts one after another, each aligned.

    Raises RingError(BAD_SIZE) as :meth:`RingLayout.check` does.
    """
    desc = _up(base, DESC_ALIGN)
    avail = _up(desc + DESC_SIZE * num, AVAIL_ALIGN)
    used = _up(avail + 6 + 2 * num, USED_ALIGN)
    layout = RingLayout(num, desc, avail, used)
    layout.check()
    return layout


def end(layout: RingLayout) -> int:
    """The first address past a planned ring."""
    return layout.used + layout.used_size


def _up(address: int, alignment: int) -> int:
    return -(-address // alignment) * alignment
