# wrong: collect
# en: It gives one page for each byte that is not 0.
# zh: 每个不为 0 的字节只给出一页。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    return [8 * at * 4096 for at in range(log.size) if log.take(at)]
