# wrong: order
# en: It reads the elements before it reads used.idx: it may take an old one.
# zh: 先读元素再读 used.idx：可能收到旧的。
def reap(ring, last, outstanding):
    held = {head: writable for head, writable in outstanding}
    elements = [ring.read_used_entry(last + n) for n in range(len(held))]
    new = (ring.load_used_idx() - last) % 65536
    if new > len(held):
        raise ValueError(new)
    taken = []
    for element in elements[:new]:
        if element.head not in held:
            raise ValueError(element.head)
        if element.len > held.pop(element.head):
            raise ValueError(element.len)
        taken.append((element.head, element.len))
    return [(last + new) % 65536, taken]
