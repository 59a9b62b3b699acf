# wrong: index
# en: It takes avail.idx for a slot: modulo the ring's size instead of 65536.
# zh: 把 avail.idx 当成了槽号：对环大小取模，而不是对 65536。
# misconception: idx-wraps-at-num
def publish(ring, idx, heads, kick):
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    idx = (idx + len(heads)) % ring.num
    ring.store_avail_idx(idx)
    ring.full_barrier()
    if not ring.load_used_flags() & 1:
        kick()
    return idx
