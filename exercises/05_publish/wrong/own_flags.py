# wrong: kick
# en: It asks avail.flags, the driver's own word about calls, whether to kick.
# zh: 拿 avail.flags（驱动自己管 call 的字）来判断要不要通知设备。
def publish(ring, idx, heads, kick):
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    ring.full_barrier()
    if not ring.load_avail_flags() & 1:
        kick()
    return idx
