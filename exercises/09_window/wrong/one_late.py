# wrong: inside
# en: It takes the entry before old for a new one: <= instead of <.
# zh: 把 old 之前的那一项也当成了新的：用了 <= 而不是 <。
def passed(event, new, old):
    return (new - event - 1) % 65536 <= (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
