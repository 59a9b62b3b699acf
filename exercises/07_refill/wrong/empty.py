# wrong: descriptors
# en: It offers nothing.
# zh: 什么都没提供。
# misconception: device-provides-rx-buffers
def refill(ring, idx, free, buffers, size):
    return [idx, []]
