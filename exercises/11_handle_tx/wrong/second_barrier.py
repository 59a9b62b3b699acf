# wrong: kick_lost
# en: There is no full barrier between asking for kicks and the second look.
# zh: 要求通知与第二次看之间没有完整屏障。
from tour.errors import GuestMemoryError


def gather(ring, memory, head):
    packet, at = b"", head
    for _ in range(ring.num):
        if at >= ring.num:
            return None
        desc = ring.read_desc(at)
        if desc.flags & 2:
            return None
        try:
            packet += memory.read(desc.addr, desc.len)
        except GuestMemoryError:
            return None
        if not desc.flags & 1:
            return packet
        at = desc.next
    return None


def handle_tx(ring, memory, port, call, idx):
    ring.store_used_flags(1)
    while True:
        avail = ring.load_avail_idx()
        if avail == idx:
            ring.store_used_flags(0)
            if ring.load_avail_idx() == idx:
                return idx
            ring.store_used_flags(1)
            continue
        if (avail - idx) % 65536 > ring.num:
            return idx
        head = ring.read_avail_entry(idx)
        packet = gather(ring, memory, head)
        if packet is None:
            return idx
        port.send(packet)
        ring.store_used_entry(idx, head, 0)
        idx = (idx + 1) % 65536
        ring.store_used_idx(idx)
        ring.full_barrier()
        if not ring.load_avail_flags() & 1:
            call()
