# wrong: meanwhile
# en: It reads the whole log first and clears it afterwards.
# zh: 先读完整份日志，之后才清。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    taken = [log.load(at) for at in range(log.size)]
    for at in range(log.size):
        log.store(at, 0)
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
