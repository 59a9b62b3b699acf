# wrong: inside
# en: It asks whether the event is the entry published last, instead of whether the index passed it.
# zh: 它问的是事件是不是最后发布的那一项，而不是索引有没有越过它。
# misconception: event-is-the-newest
def passed(event, new, old):
    return event == (new - 1) % 65536


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
