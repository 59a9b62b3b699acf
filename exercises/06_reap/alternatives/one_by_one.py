# en: Goes on index by index until it meets the used.idx it read.
# zh: 逐个索引前进，直到遇到读到的 used.idx。
def reap(ring, last, outstanding):
    held = dict(outstanding)
    stop = ring.load_used_idx()
    if (stop - last) & 0xFFFF > len(held):
        raise ValueError("used.idx")
    taken = []
    while last != stop:
        head, length = ring.read_used_entry(last)
        if length > held.pop(head, -1):
            raise ValueError(head)
        taken.append([head, length])
        last = (last + 1) & 0xFFFF
    return [last, taken]
