# wrong: batch
# en: It publishes after every buffer.
# zh: 每个缓冲区都发布一次。
from tour.virtqueue.ring import Desc


def refill(ring, idx, free, buffers, size):
    posted = list(zip(free, buffers))
    for head, gpa in posted:
        ring.write_desc(head, Desc(gpa, size, 2))
        ring.store_avail_entry(idx, head)
        idx = (idx + 1) % 65536
        ring.store_avail_idx(idx)
    return [idx, posted]
