# wrong: kept
# en: It loads the byte and stores it again: what others marked between the two steps is gone.
# zh: 先读再写回：两步之间别人置上的标记没了。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.store(page // 8, log.load(page // 8) | 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
