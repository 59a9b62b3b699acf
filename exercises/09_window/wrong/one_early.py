# wrong: inside
# en: It is one entry off: it leaves out the - 1, as if the event named the index instead of the entry before it.
# zh: 差了一项：漏了 - 1，好像事件指的是索引，而不是它前面那一项。
def passed(event, new, old):
    return (new - event) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
