"""The window of event idx."""

from tour.virtqueue.ring import Ring

NO_NOTIFY = 1


def passed(event: int, new: int, old: int) -> bool:
    """Whether an index that moved from ``old`` to ``new`` passed ``event``."""
    # step 1: How far does new lie past the event, and how far did it move? | new 超出事件多远？又前进了多远？
    return (new - event - 1) % 65536 < (new - old) % 65536
    # end


def needs_kick(ring: Ring, new: int, old: int, event_idx: bool) -> bool:
    """Whether the device asked to be told that avail.idx moved from ``old`` to ``new``."""
    # step 2: Make sure that avail.idx is seen before you look. | 确保你看之前，avail.idx 已经能被看到。
    ring.full_barrier()
    # end
    # step 3: Look at the word that counts. | 看那个算数的字。
    if event_idx:
        return passed(ring.load_avail_event(), new, old)
    return not ring.load_used_flags() & NO_NOTIFY
    # end
