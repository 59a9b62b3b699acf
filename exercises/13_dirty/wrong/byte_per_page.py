# wrong: bit
# en: It takes a byte for a page instead of a bit.
# zh: 把一页当成一个字节，而不是一位。
def mark(log, gpa, size):
    for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1 if size else 0):
        log.set_bits(page % log.size, 1)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
