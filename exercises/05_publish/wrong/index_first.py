# wrong: order
# en: It moves avail.idx before the entries are written.
# zh: 在项写好之前就移动了 avail.idx。
def publish(ring, idx, heads, kick):
    new = (idx + len(heads)) % 65536
    ring.store_avail_idx(new)
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    ring.full_barrier()
    if not ring.load_used_flags() & 1:
        kick()
    return new
