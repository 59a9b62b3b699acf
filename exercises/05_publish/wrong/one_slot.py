# wrong: entries
# en: It writes every head into the slot of the first index.
# zh: 把所有链头都写进了第一个索引的槽。
def publish(ring, idx, heads, kick):
    for head in heads:
        ring.store_avail_entry(idx, head)
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    ring.full_barrier()
    if not ring.load_used_flags() & 1:
        kick()
    return idx
