# wrong: descriptors
# en: It sets NEXT: the device goes on to a descriptor that nobody wrote.
# zh: 设置了 NEXT：设备会走到没有人写过的描述符。
"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = list(zip(free, buffers, strict=False))
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, WRITE | 1))
        ring.store_avail_entry(idx + n, head)
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
