# wrong: word
# en: It asks used_event, the driver's own word about calls.
# zh: 看的是 used_event，那是驱动自己管 call 的字。
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_used_event(), new, old)
    return not ring.load_used_flags() & 1
