# wrong: wakeup
# en: It reads used.flags before avail.idx has moved.
# zh: 在移动 avail.idx 之前就读了 used.flags。
def publish(ring, idx, heads, kick):
    wanted = not ring.load_used_flags() & 1
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    ring.full_barrier()
    if wanted:
        kick()
    return idx
