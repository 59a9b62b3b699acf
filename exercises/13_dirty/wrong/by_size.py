# wrong: spread
# en: It counts the pages from the size alone, wherever in a page the write begins.
# zh: 只按大小算页数，不管从页内何处开始。
def mark(log, gpa, size):
    for page in range(gpa // 4096, gpa // 4096 + -(-size // 4096)):
        log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
