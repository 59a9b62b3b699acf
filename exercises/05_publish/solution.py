"""Publish without losing a wake-up."""

from tour.virtqueue.ring import Ring

NO_NOTIFY = 1


def publish(ring: Ring, idx: int, heads: list[int], kick) -> int:
    """Hand the chains that begin at ``heads`` to the device; the next available index."""
    # step 1: Put each head into its slot of the available ring. | 把每个链头写进可用环里它的槽。
    for n, head in enumerate(heads):
        ring.store_avail_entry(idx + n, head)
    # end
    # step 2: Move avail.idx past them. | 让 avail.idx 越过它们。
    idx = (idx + len(heads)) % 65536
    ring.store_avail_idx(idx)
    # end
    # step 3: Kick, unless the device said that it needs none. | 通知设备，除非设备说过不需要。
    ring.full_barrier()
    if not ring.load_used_flags() & NO_NOTIFY:
        kick()
    # end
    return idx
