# wrong: wakeup
# en: There is no full barrier between avail.idx and used.flags.
# zh: avail.idx 与 used.flags 之间没有完整屏障。
def publish(ring, idx, heads, kick):
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    if not ring.load_used_flags() & 1:
        kick()
    return idx
