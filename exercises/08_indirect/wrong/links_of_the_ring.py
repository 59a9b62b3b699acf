# wrong: links
# en: It counts next from the head, as in the ring's own table.
# zh: next 从链头数起，像在环自己的表里那样。
"""A chain of any length behind one descriptor of the ring."""

from tour.virtqueue.ring import Desc, Ring

NEXT, WRITE, INDIRECT = 1, 2, 4
ENTRY = 16


def build(ring: Ring, head: int, table: int, pieces: list[list]) -> int:
    """Describe ``pieces`` in an indirect table at ``table`` and the table in descriptor ``head``; how many entries."""
    ordered = [piece for piece in pieces if not piece[2]] + [piece for piece in pieces if piece[2]]
    for n, (gpa, size, writable) in enumerate(ordered):
        flags, following = (WRITE if writable else 0), 0
        if n + 1 < len(ordered):
            flags, following = flags | NEXT, head + n + 2
        ring.write_table(table, n, Desc(gpa, size, flags, following))
    ring.write_desc(head, Desc(table, ENTRY * len(ordered), INDIRECT))
    return len(ordered)
