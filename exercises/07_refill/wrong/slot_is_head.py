# wrong: entries
# en: It puts each head into the slot of its own number.
# zh: 把链头放进与其编号相同的槽。
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = list(zip(free, buffers, strict=False))
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, WRITE))
        ring.store_avail_entry(head, head)
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
