# wrong: says
# en: It compares indices as plain numbers.
# zh: 把索引当作普通数比较。
# misconception: idx-wraps-at-num
"""How a device goes to sleep: it asks for a kick, and looks once more."""

from tour.virtqueue.ring import Ring


def rest(ring: Ring, last: int) -> bool:
    """Ask for a kick with the entry ``last`` and look whether it is there; True when the device may sleep."""
    ring.store_avail_event(last)
    ring.full_barrier()
    return ring.load_avail_idx() <= last
