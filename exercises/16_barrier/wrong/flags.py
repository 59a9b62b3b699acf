# wrong: asks
# en: It clears used.flags, which says nothing with event idx.
# zh: 清了 used.flags，有 event idx 时它不起作用。
"""How a device goes to sleep: it asks for a kick, and looks once more."""

from tour.virtqueue.ring import Ring


def rest(ring: Ring, last: int) -> bool:
    """Ask for a kick with the entry ``last`` and look whether it is there; True when the device may sleep."""
    ring.store_used_flags(0)
    ring.full_barrier()
    return ring.load_avail_idx() == last
