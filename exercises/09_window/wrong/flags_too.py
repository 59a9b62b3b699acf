# wrong: word
# en: With event idx it lets used.flags have a say too.
# zh: 有了 event idx 还去听 used.flags 的。
# misconception: flags-and-events-add-up
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if ring.load_used_flags() & 1:
        return False
    return not event_idx or passed(ring.load_avail_event(), new, old)
