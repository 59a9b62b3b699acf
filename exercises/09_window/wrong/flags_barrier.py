# wrong: barrier
# en: It has the full barrier for the flags only, not for avail_event.
# zh: 只在看标志时有完整屏障，看 avail_event 时没有。
def passed(event, new, old):
    return (new - event - 1) % 65536 < (new - old) % 65536


def needs_kick(ring, new, old, event_idx):
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    ring.full_barrier()
    return not ring.load_used_flags() & 1
