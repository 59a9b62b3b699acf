# wrong: barrier
# en: The full barrier comes after the load that it should hold back.
# zh: 完整屏障放在了它本该挡住的那次读之后。
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    event, flags = ring.load_avail_event(), ring.load_used_flags()
    ring.full_barrier()
    return passed(event, new, old) if event_idx else not flags & 1
