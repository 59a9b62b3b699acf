# wrong: wakeup
# en: The full barrier comes after the look.
# zh: 完整屏障放在看了之后。
def rest(ring, last):
    ring.store_avail_event(last)
    seen = ring.load_avail_idx()
    ring.full_barrier()
    return seen == last
