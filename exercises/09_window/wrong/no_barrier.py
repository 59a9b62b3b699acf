# wrong: barrier
# en: There is no full barrier before avail_event is read.
# zh: 读 avail_event 之前没有完整屏障。
# misconception: x86-needs-no-barrier
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
