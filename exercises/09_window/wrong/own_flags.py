# wrong: word
# en: Without event idx it asks avail.flags, the driver's own word about calls.
# zh: 没有 event idx 时看的是 avail.flags，那是驱动自己管 call 的字。
# misconception: avail-flags-silences-kicks
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_avail_flags() & 1
