# wrong: meanwhile
# en: It clears the byte in a second step: what was marked after the first is gone.
# zh: 在第二步才清零：第一步之后置上的标记没了。
# misconception: copied-is-done
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    found = []
    for at in range(log.size):
        bits = log.load(at)
        log.store(at, 0)
        found += [(8 * at + bit) * 4096 for bit in range(8) if bits >> bit & 1]
    return found
