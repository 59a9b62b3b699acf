# wrong: kept
# en: It stores the byte whole: the marks of the pages beside it are gone.
# zh: 整个字节写进去：旁边各页的标记没了。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.store(page // 8, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
