# en: Writes the entries from the last to the first.
# zh: 从最后一项写到第一项。
from tour.virtqueue.ring import Desc


def build(ring, head, table, pieces):
    ordered = sorted(pieces, key=lambda piece: bool(piece[2]))
    following = None
    for n in range(len(ordered) - 1, -1, -1):
        gpa, size, writable = ordered[n]
        flags = 2 * bool(writable) + (following is not None)
        ring.write_table(table, n, Desc(gpa, size, flags, following or 0))
        following = n
    ring.write_desc(head, Desc(table, len(ordered) * 16, 4, 0))
    return len(ordered)
