# wrong: asks
# en: It asks for the entry before the next one, which was published long ago.
# zh: 要求的是下一项之前的那一项，而它早已发布。
"""How a device goes to sleep: it asks for a kick, and looks once more."""

from tour.virtqueue.ring import Ring


def rest(ring: Ring, last: int) -> bool:
    """Ask for a kick with the entry ``last`` and look whether it is there; True when the device may sleep."""
    ring.store_avail_event((last - 1) % 65536)
    ring.full_barrier()
    return ring.load_avail_idx() == last
