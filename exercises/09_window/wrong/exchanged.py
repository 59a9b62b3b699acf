# wrong: inside
# en: It takes the old index for the new one.
# zh: 把旧索引当成了新索引。
def passed(event, new, old):
    return (old - event - 1) % 65536 < (old - new) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
