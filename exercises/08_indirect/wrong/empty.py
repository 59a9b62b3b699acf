# wrong: pieces
# en: It builds nothing.
# zh: 什么都没建。
def build(ring, head, table, pieces):
    return len(pieces)
