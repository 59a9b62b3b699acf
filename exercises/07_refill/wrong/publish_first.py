# wrong: order
# en: It moves avail.idx before the entries are written.
# zh: 在项写好之前就移动 avail.idx。
from tour.virtqueue.ring import Desc


def refill(ring, idx, free, buffers, size):
    posted = list(zip(free, buffers))
    if posted:
        ring.store_avail_idx((idx + len(posted)) % 65536)
    for n, (head, gpa) in enumerate(posted):
        ring.write_desc(head, Desc(gpa, size, 2))
        ring.store_avail_entry(idx + n, head)
    return [(idx + len(posted)) % 65536, posted]
