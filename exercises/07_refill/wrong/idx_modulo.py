# wrong: entries
# en: It takes avail.idx for a slot.
# zh: 把 avail.idx 当成槽号。
# misconception: idx-wraps-at-num
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = list(zip(free, buffers, strict=False))
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, WRITE))
        ring.store_avail_entry(idx + n, head)
    if posted:
        idx = (idx + len(posted)) % ring.num
        ring.store_avail_idx(idx)
    return [idx, posted]
