"""Offer empty buffers to receive into."""

from tour.virtqueue.ring import Desc, Ring

WRITE = 2


def refill(ring: Ring, idx: int, free: list[int], buffers: list[int], size: int) -> list:
    """The next available index, and which buffer went with which descriptor."""
    posted = list(zip(free, buffers, strict=False))
    for n, (head, gpa) in enumerate(posted):
        # step 1: Describe the buffer. | 描述这个缓冲区。
        ring.write_desc(head, Desc(gpa, size, WRITE))
        # end
        # step 2: Put its head into the next entry. | 把链头放进下一项。
        ring.store_avail_entry(idx + n, head)
        # end
    # step 3: Publish all of them at once, if there are any. | 若有新增，一次全部发布。
    if posted:
        idx = (idx + len(posted)) % 65536
        ring.store_avail_idx(idx)
    # end
    return [idx, posted]
