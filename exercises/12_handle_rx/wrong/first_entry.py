# wrong: merged
# en: It gives only the packet's first buffer back with a used entry.
# zh: 只用一个已用项归还包的第一个缓冲区。
# misconception: packet-is-one-chain
def room(ring, head):
    parts, at = [], head
    for _ in range(ring.num):
        if at >= ring.num:
            return None
        desc = ring.read_desc(at)
        if not desc.flags & 2:
            return None
        parts.append((desc.addr, desc.len))
        if not desc.flags & 1:
            return parts
        at = desc.next
    return None


def handle_rx(ring, memory, port, call, idx):  # noqa: C901
    ring.store_used_flags(1)
    while size := port.peek():
        avail = ring.load_avail_idx()
        if (avail - idx) % 65536 > ring.num:
            return idx
        taken, space = [], 0
        while space < size and (idx + len(taken)) % 65536 != avail:
            head = ring.read_avail_entry(idx + len(taken))
            parts = room(ring, head)
            if parts is None:
                return idx
            taken.append((head, parts))
            space += sum(length for _, length in parts)
        if space < size:
            ring.store_used_flags(0)
            ring.full_barrier()
            if ring.load_avail_idx() == avail:
                return idx
            ring.store_used_flags(1)
            continue
        packet = port.receive()
        packet = packet[:10] + len(taken).to_bytes(2, "little") + packet[12:]
        for n, (head, parts) in enumerate(taken):
            before = len(packet)
            for gpa, length in parts:
                memory.write(gpa, packet[:length])
                packet = packet[length:]
            if n == 0:
                ring.store_used_entry(idx, head, size)
        idx = (idx + len(taken)) % 65536
        ring.store_used_idx(idx)
        ring.full_barrier()
        if not ring.load_avail_flags() & 1:
            call()
    return idx
