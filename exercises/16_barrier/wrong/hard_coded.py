# wrong: asks
# en: It asks for entry 0, whatever comes next.
# zh: 不管接下来是哪一项，都要求第 0 项。
"""How a device goes to sleep: it asks for a kick, and looks once more."""

from tour.virtqueue.ring import Ring


def rest(ring: Ring, last: int) -> bool:
    """Ask for a kick with the entry ``last`` and look whether it is there; True when the device may sleep."""
    ring.store_avail_event(0)
    ring.full_barrier()
    return ring.load_avail_idx() == last
