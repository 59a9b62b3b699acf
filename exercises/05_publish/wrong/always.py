# wrong: kick
# en: It kicks although the device asked for no kicks.
# zh: 设备已请求不要通知，它还是通知了。
def publish(ring, idx, heads, kick):
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    ring.full_barrier()
    kick()
    return idx
