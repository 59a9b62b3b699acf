# en: First all descriptors, then all entries.
# zh: 先写所有描述符，再写所有项。
from tour.virtqueue.ring import Desc


def refill(ring, idx, free, buffers, size):
    count = min(len(free), len(buffers))
    for n in range(count):
        ring.write_desc(free[n], Desc(buffers[n], size, 2, 0))
    for n in range(count):
        ring.store_avail_entry((idx + n) & 0xFFFF, free[n])
    if count:
        ring.store_avail_idx((idx + count) & 0xFFFF)
    return [(idx + count) & 0xFFFF, [[free[n], buffers[n]] for n in range(count)]]
