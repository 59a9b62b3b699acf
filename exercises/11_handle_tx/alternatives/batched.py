# en: Takes all that waits at once, and moves used.idx and calls once for all of it, as the kernel does.
# zh: 一次取走所有等待的，合起来只移动一次 used.idx、只通知一次，和内核一样。
from tour.errors import GuestMemoryError


class Bad(Exception):
    pass


def walk(ring, head):
    seen = []
    while True:
        if head >= ring.num or head in seen:
            raise Bad
        seen.append(head)
        desc = ring.read_desc(head)
        if desc.flags & 2:
            raise Bad
        yield desc
        if not desc.flags & 1:
            return
        head = desc.next


def handle_tx(ring, memory, port, call, idx):
    ring.store_used_flags(1)
    while True:
        waiting = (ring.load_avail_idx() - idx) & 0xFFFF
        if waiting > ring.num:
            return idx
        if not waiting:
            ring.store_used_flags(0)
            ring.full_barrier()
            if ring.load_avail_idx() == idx:
                return idx
            ring.store_used_flags(1)
            continue
        done, good = idx, True
        for _ in range(waiting):
            head = ring.read_avail_entry(done)
            try:
                packet = b"".join([memory.read(desc.addr, desc.len) for desc in walk(ring, head)])
            except (Bad, GuestMemoryError):
                good = False
                break
            port.send(packet)
            ring.store_used_entry(done, head, 0)
            done = (done + 1) & 0xFFFF
        if done != idx:
            idx = done
            ring.store_used_idx(idx)
            ring.full_barrier()
            if not ring.load_avail_flags() & 1:
                call()
        if not good:
            return idx
