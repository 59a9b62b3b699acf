# wrong: pieces
# en: It writes entries known beforehand.
# zh: 写入了预先写死的项。
from tour.virtqueue.ring import Desc


def build(ring, head, table, pieces):
    ring.write_table(table, 0, Desc(0x100000, 54, 0, 0))
    ring.write_desc(head, Desc(table, 16, 4))
    return 1
