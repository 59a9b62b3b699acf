# wrong: meanwhile
# en: It takes each byte twice and uses the first only.
# zh: 每个字节取了两次，却只用第一次的。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    found = []
    for at in range(log.size):
        bits = log.take(at)
        found += [(8 * at + bit) * 4096 for bit in range(8) if bits >> bit & 1]
        log.take(at)
    return found
