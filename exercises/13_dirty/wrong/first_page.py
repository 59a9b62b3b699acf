# wrong: spread
# en: It marks only the page in which the write begins.
# zh: 只标写入开始的那一页。
def mark(log, gpa, size):
    if size:
        log.set_bits(gpa // 4096 // 8, 1 << gpa // 4096 % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
