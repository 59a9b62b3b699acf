# wrong: entries
# en: It gives back numbers written down beforehand.
# zh: 返回的是预先写死的数。
def publish(ring, idx, heads, kick):
    ring.store_avail_entry(0, 0)
    ring.store_avail_idx(1)
    kick()
    return 1
