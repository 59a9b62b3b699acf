# wrong: entries
# en: It does nothing.
# zh: 什么也没做。
def publish(ring, idx, heads, kick):
    return idx
