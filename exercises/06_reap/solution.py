"""Take back what the device is done with."""

from tour.virtqueue.ring import Ring


def reap(ring: Ring, last: int, outstanding: list[list[int]]) -> list:
    """The next used index, and what was taken as (head, length). Raises ValueError for what cannot be."""
    held = {head: writable for head, writable in outstanding}
    taken = []
    # step 1: How many elements are new; more than outstanding cannot be. | 有几个新元素；不可能多于在途的链。
    new = (ring.load_used_idx() - last) % 65536
    if new > len(held):
        raise ValueError(f"{new} new elements, {len(held)} chains outstanding")
    # end
    for n in range(new):
        # step 2: Read the next element. | 读下一个元素。
        element = ring.read_used_entry(last + n)
        # end
        # step 3: Refuse a head not outstanding, a length that does not fit. | 拒绝不在途的链头和放不下的长度。
        if element.head not in held:
            raise ValueError(f"head {element.head} is not outstanding")
        if element.len > held.pop(element.head):
            raise ValueError(f"{element.len} bytes in chain {element.head}")
        # end
        taken.append((element.head, element.len))
    return [(last + new) % 65536, taken]
