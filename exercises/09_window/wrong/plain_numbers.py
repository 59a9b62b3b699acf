# wrong: wrap
# en: It compares the indices as plain numbers: after 65535 comes 0.
# zh: 把索引当普通数来比较：65535 之后是 0。
def passed(event, new, old):
    return old <= event < new


def needs_kick(ring, new, old, event_idx):
    ring.full_barrier()
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & 1
