# wrong: bit
# en: It marks the page after the one that was written.
# zh: 标的是写到的那一页的下一页。
def mark(log, gpa, size):
    for page in range(gpa // 4096 + 1, (gpa + size - 1) // 4096 + 2 if size else 0):
        log.set_bits(page // 8 % log.size, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
