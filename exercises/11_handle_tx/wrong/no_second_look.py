# wrong: kick_lost
# en: It asks for kicks and sleeps, without looking once more.
# zh: 要求通知之后就睡了，没有再看一次。
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
            return idx
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
