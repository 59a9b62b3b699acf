"""The dirty log: one bit for each 4 KiB page of guest memory that the device wrote.

While a machine migrates, QEMU gives vhost this bitmap (VHOST_SET_LOG_BASE). The device sets bits, QEMU takes
and clears them; only what the *device* wrote is in it, the guest's own writes are tracked elsewhere.
Bit n of byte n / 8 is page n (drivers/vhost/vhost.c set_bit_to_user, Linux 6.1).
"""

from __future__ import annotations

import mmap

from tour.abi import native
from tour.abi.names import VHOST_PAGE_SIZE


class LogBitmap:
    """The bitmap for guest addresses below ``memory_end`` (bytes), in a shared mapping of this process.

    ``fd`` -1 makes anonymous pages; otherwise ``fd`` is a file of at least ``size`` bytes.
    """

    def __init__(self, memory_end: int, fd: int = -1) -> None:
        pages = -(-memory_end // VHOST_PAGE_SIZE)
        # Whole 64-bit words, as the bitmap is taken and cleared a word at a time.
        self.size = max(8, -(-pages // 64) * 8)
        self.fd = fd
        flags = mmap.MAP_SHARED | (mmap.MAP_ANONYMOUS if fd < 0 else 0)
        self._mapping = mmap.mmap(fd, self.size, flags)
        self.hva = native.address_of(self._mapping)

    def set(self, gpa: int, size: int) -> None:
        """Mark the pages of ``[gpa, gpa + size)``. Raises IndexError beyond the bitmap."""
        for page in self._pages(gpa, size):
            native.lib().vt_or_u8(self.hva + page // 8, 1 << page % 8)

    def test(self, gpa: int) -> bool:
        """Whether the page that holds ``gpa`` is marked. Raises IndexError beyond the bitmap."""
        (page,) = self._pages(gpa, 1)
        return bool(self._mapping[page // 8] >> page % 8 & 1)

    def fetch_and_clear(self) -> list[int]:
        """Guest addresses of all marked pages, lowest first; the marks are taken, each in one step."""
        take = native.lib().vt_swap_u64
        words = [take(self.hva + at) for at in range(0, self.size, 8)]
        return [
            (64 * i + bit) * VHOST_PAGE_SIZE
            for i, word in enumerate(words)
            if word
            for bit in range(64)
            if word >> bit & 1
        ]

    def close(self) -> None:
        """Unmap. The ``fd`` stays its owner's."""
        self._mapping.close()

    def _pages(self, gpa: int, size: int) -> range:
        if gpa < 0 or size < 0 or gpa + size > self.size * 8 * VHOST_PAGE_SIZE:
            raise IndexError(f"{gpa:#x}+{size:#x} lies beyond the dirty log")
        return range(gpa // VHOST_PAGE_SIZE, -(-(gpa + size) // VHOST_PAGE_SIZE) if size else gpa // VHOST_PAGE_SIZE)
