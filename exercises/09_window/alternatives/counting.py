# en: Counts from old: how many entries on is the event, and did the index go further?
# zh: 从 old 数起：事件在第几项，索引有没有走得更远？
def passed(event, new, old):
    return ((event - old) & 0xFFFF) < ((new - old) & 0xFFFF)


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if not event_idx:
        return ring.load_used_flags() & 1 == 0
    event = ring.load_avail_event()
    return passed(event, new, old)
