# wrong: frame
# en: It does nothing.
# zh: 什么也没做。
def handle_rx(ring, memory, port, call, idx):
    return idx
