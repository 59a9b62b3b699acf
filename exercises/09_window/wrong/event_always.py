# wrong: word
# en: It asks avail_event although event idx was not negotiated.
# zh: 没有协商 event idx，还是去看 avail_event。
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    return passed(ring.load_avail_event(), new, old)
