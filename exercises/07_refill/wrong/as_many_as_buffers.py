# wrong: room
# en: It begins again with the first descriptor when none is free any more.
# zh: 空闲描述符用完后又从第一个开始用。
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = [(free[n % len(free)] if free else 0, gpa) for n, gpa in enumerate(buffers)]
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, WRITE))
        ring.store_avail_entry(idx + n, head)
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
