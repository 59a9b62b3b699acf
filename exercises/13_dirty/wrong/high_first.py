# wrong: bit
# en: It counts the bits of a byte from the highest on.
# zh: 从最高位数起了。
def mark(log, gpa, size):
    for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1 if size else 0):
        log.set_bits(page // 8, 0x80 >> page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
