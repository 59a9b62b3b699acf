"""The device's receive loop."""

from tour.memory.guest import GuestMemory
from tour.virtqueue.ring import Ring

NEXT, WRITE = 1, 2
NO_NOTIFY = 1
NO_INTERRUPT = 1


def room(ring: Ring, head: int) -> list[tuple[int, int]]:
    """(guest address, bytes) of the chain's buffers. Raises ValueError when it breaks a rule."""
    # step 1: Follow the chain, and trust none of its numbers. | 顺着链走，其中的数一个也不要轻信。
    parts = []
    at = head
    for _ in range(ring.num):
        if at >= ring.num:
            raise ValueError("a descriptor outside the table")
        desc = ring.read_desc(at)
        if not desc.flags & WRITE:
            raise ValueError("a buffer that may only be read")
        parts.append((desc.addr, desc.len))
        if not desc.flags & NEXT:
            return parts
        at = desc.next
    # end
    raise ValueError("a chain that loops")


def handle_rx(ring: Ring, memory: GuestMemory, port, call, idx: int) -> int:
    """Hand all packets that wait at the port to the driver; the index of the first chain that was not used."""
    ring.store_used_flags(NO_NOTIFY)
    while size := port.peek():
        # step 2: Take chains until the packet fits; do not give any back yet. | 取链，直到放得下；先都不归还。
        avail = ring.load_avail_idx()
        if (avail - idx) % 65536 > ring.num:
            return idx
        taken, space = [], 0
        while space < size and (idx + len(taken)) % 65536 != avail:
            head = ring.read_avail_entry(idx + len(taken))
            try:
                parts = room(ring, head)
            except ValueError:
                return idx
            taken.append((head, parts))
            space += sum(length for _, length in parts)
        # end
        # step 3: Too few: the packet waits. Ask for kicks, and look once more. | 不够：包留着。要求通知，再看一次。
        if space < size:
            ring.store_used_flags(0)
            ring.full_barrier()
            if ring.load_avail_idx() == avail:
                return idx
            ring.store_used_flags(NO_NOTIFY)
            continue
        # end
        # step 4: Say in the header how many buffers it takes. | 在头部写明占几个缓冲区。
        packet = port.receive()
        packet = packet[:10] + len(taken).to_bytes(2, "little") + packet[12:]
        # end
        # step 5: Write it, chain by chain, and fill a used entry for each. | 逐链写入，每条链填一个已用项。
        for n, (head, parts) in enumerate(taken):
            before = len(packet)
            for gpa, length in parts:
                memory.write(gpa, packet[:length])
                packet = packet[length:]
            ring.store_used_entry(idx + n, head, before - len(packet))
        # end
        # step 6: Give them back all together, and call the driver if it wants that. | 一起归还；驱动要的话就通知它。
        idx = (idx + len(taken)) % 65536
        ring.store_used_idx(idx)
        ring.full_barrier()
        if not ring.load_avail_flags() & NO_INTERRUPT:
            call()
        # end
    return idx
