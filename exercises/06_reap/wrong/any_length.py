# wrong: lengths
# en: It believes any length.
# zh: 什么样的长度都信。
"""Take back what the device is done with."""

from tour.virtqueue.ring import Ring


def reap(ring: Ring, last: int, outstanding: list[list[int]]) -> list:
    """The next used index, and what was taken as (head, length). Raises ValueError for what cannot be."""
    held = {head: writable for head, writable in outstanding}
    taken = []
    new = (ring.load_used_idx() - last) % 65536
    if new > len(held):
        raise ValueError(f"{new} new elements, {len(held)} chains outstanding")
    for n in range(new):
        element = ring.read_used_entry(last + n)
        if element.head not in held:
            raise ValueError(f"head {element.head} is not outstanding")
        held.pop(element.head)
        taken.append((element.head, element.len))
    return [(last + new) % 65536, taken]
