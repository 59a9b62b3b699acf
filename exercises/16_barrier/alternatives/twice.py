# en: Looks into a name, and has a second barrier that does no harm.
# zh: 先把看到的记在变量里，并多加一个无害的屏障。
def rest(ring, last):
    ring.full_barrier()
    ring.store_avail_event(last % 65536)
    ring.full_barrier()
    seen = ring.load_avail_idx()
    return not (seen - last) % 65536
