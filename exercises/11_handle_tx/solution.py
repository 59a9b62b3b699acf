"""The device's transmit loop."""

from tour.errors import GuestMemoryError
from tour.memory.guest import GuestMemory
from tour.virtqueue.ring import Ring

NEXT, WRITE = 1, 2
NO_NOTIFY = 1
NO_INTERRUPT = 1


def gather(ring: Ring, memory: GuestMemory, head: int) -> bytes:
    """The bytes of the chain that begins at ``head``. Raises ValueError, GuestMemoryError when it breaks a rule."""
    packet = b""
    # step 1: Follow the chain, and trust none of its numbers. | 顺着链走，其中的数一个也不要轻信。
    at = head
    for _ in range(ring.num):
        if at >= ring.num:
            raise ValueError("a descriptor outside the table")
        desc = ring.read_desc(at)
        if desc.flags & WRITE:
            raise ValueError("a buffer for the device to write")
        packet += memory.read(desc.addr, desc.len)
        if not desc.flags & NEXT:
            return packet
        at = desc.next
    # end
    raise ValueError("a chain that loops")


def handle_tx(ring: Ring, memory: GuestMemory, port, call, idx: int) -> int:
    """Send all that waits from available index ``idx`` on; the index of the first chain that was not taken."""
    # step 2: Ask for no kicks while you work. | 工作期间请对方不要通知。
    ring.store_used_flags(NO_NOTIFY)
    # end
    while True:
        # step 3: Nothing there: ask for kicks, and look once more before you sleep. | 没有了：要求通知，睡前再看一次。
        if ring.load_avail_idx() == idx:
            ring.store_used_flags(0)
            ring.full_barrier()
            if ring.load_avail_idx() == idx:
                return idx
            ring.store_used_flags(NO_NOTIFY)
        # end
        # step 4: Take the next chain and send its packet. | 取出下一条链，发送它的数据包。
        if (ring.load_avail_idx() - idx) % 65536 > ring.num:
            return idx
        head = ring.read_avail_entry(idx)
        try:
            packet = gather(ring, memory, head)
        except (ValueError, GuestMemoryError):
            return idx
        port.send(packet)
        # end
        # step 5: Give the chain back. | 归还这条链。
        ring.store_used_entry(idx, head, 0)
        idx = (idx + 1) % 65536
        ring.store_used_idx(idx)
        # end
        # step 6: Call the driver, if it wants that. | 驱动要的话，就通知驱动。
        ring.full_barrier()
        if not ring.load_avail_flags() & NO_INTERRUPT:
            call()
        # end
