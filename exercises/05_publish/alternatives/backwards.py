# en: Writes the entries from the last to the first, and reads the flags into a name.
# zh: 从最后一项写到第一项，并先把标志读进变量。
def publish(ring, idx, heads, kick):
    for n in range(len(heads) - 1, -1, -1):
        ring.store_avail_entry((idx + n) & 0xFFFF, heads[n])
    new = (idx + len(heads)) & 0xFFFF
    ring.store_avail_idx(new)
    ring.full_barrier()
    flags = ring.load_used_flags()
    if flags & 1 == 0:
        kick()
    return new
