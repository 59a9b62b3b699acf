# wrong: wakeup
# en: It looks first and asks then.
# zh: 先看，后要求。
def rest(ring, last):
    seen = ring.load_avail_idx()
    ring.store_avail_event(last)
    ring.full_barrier()
    return seen == last
