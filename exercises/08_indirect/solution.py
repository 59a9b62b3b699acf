"""A chain of any length behind one descriptor of the ring."""

from tour.virtqueue.ring import Desc, Ring

NEXT, WRITE, INDIRECT = 1, 2, 4
ENTRY = 16


def build(ring: Ring, head: int, table: int, pieces: list[list]) -> int:
    """Describe ``pieces`` in an indirect table at ``table`` and the table in descriptor ``head``; how many entries."""
    # step 1: Bring the readable pieces before the writable ones. | 把可读段排到可写段之前。
    ordered = [piece for piece in pieces if not piece[2]] + [piece for piece in pieces if piece[2]]
    # end
    for n, (gpa, size, writable) in enumerate(ordered):
        # step 2: Flags and next of this entry, then write it. | 确定该项的标志和 next，然后写入。
        flags, following = (WRITE if writable else 0), 0
        if n + 1 < len(ordered):
            flags, following = flags | NEXT, n + 1
        ring.write_table(table, n, Desc(gpa, size, flags, following))
        # end
    # step 3: Describe the table in the ring. | 在环里描述这张表。
    ring.write_desc(head, Desc(table, ENTRY * len(ordered), INDIRECT))
    # end
    return len(ordered)
