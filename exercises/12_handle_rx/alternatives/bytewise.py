# en: Collects all buffers of a packet in one list, writes through them, and counts used bytes afterwards.
# zh: 把一个包的所有缓冲区收进一个列表，依次写入，之后再算各链的字节数。
def buffers(ring, head):
    found, seen = [], set()
    while head not in seen and head < ring.num:
        seen.add(head)
        desc = ring.read_desc(head)
        if desc.flags & 2 == 0:
            return None
        found.append((desc.addr, desc.len))
        if desc.flags & 1 == 0:
            return found
        head = desc.next
    return None


def handle_rx(ring, memory, port, call, idx):  # noqa: C901
    ring.store_used_flags(1)
    while True:
        size = port.peek()
        if size == 0:
            return idx
        avail, at, chains, left = ring.load_avail_idx(), idx, [], size
        if (avail - idx) & 0xFFFF > ring.num:
            return idx
        while left > 0 and at != avail:
            head = ring.read_avail_entry(at)
            found = buffers(ring, head)
            if found is None:
                return idx
            chains.append([head, found, sum(length for _, length in found)])
            left -= chains[-1][2]
            at = (at + 1) & 0xFFFF
        if left > 0:
            ring.store_used_flags(0)
            ring.full_barrier()
            if ring.load_avail_idx() == avail:
                return idx
            ring.store_used_flags(1)
            continue
        chains[-1][2] += left
        data = bytearray(port.receive())
        data[10], data[11] = len(chains) & 0xFF, len(chains) >> 8
        for gpa, length in [part for _, found, _ in chains for part in found]:
            memory.write(gpa, bytes(data[:length]))
            del data[:length]
        for n, (head, _, count) in enumerate(chains):
            ring.store_used_entry((idx + n) & 0xFFFF, head, count)
        idx = at
        ring.store_used_idx(idx)
        ring.full_barrier()
        if ring.load_avail_flags() & 1 == 0:
            call()
