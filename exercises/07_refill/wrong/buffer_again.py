# wrong: room
# en: It offers the same buffer again when there is no other.
# zh: 没有别的缓冲区时，把同一个再提供一次。
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = [(head, buffers[n % len(buffers)]) for n, head in enumerate(free) if buffers]
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, WRITE))
        ring.store_avail_entry(idx + n, head)
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
