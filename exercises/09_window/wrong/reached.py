# wrong: wrap
# en: It asks only whether the index has reached the event, as plain numbers.
# zh: 只问索引是否到达了事件，而且当普通数来比。
def passed(event, new, old):
    return new > event >= old if new >= old else new > event


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
