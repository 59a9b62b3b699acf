# wrong: descriptors
# en: It describes the same buffer every time.
# zh: 每次都描述同一个缓冲区。
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = list(zip(free, buffers, strict=False))
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(0x100000, 1526, WRITE))
        ring.store_avail_entry(idx + n, head)
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
