# wrong: spread
# en: It marks a page for a write of 0 bytes.
# zh: 写 0 个字节也标了一页。
def mark(log, gpa, size):
    for page in range(gpa // 4096, (gpa + max(size, 1) - 1) // 4096 + 1):
        log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
