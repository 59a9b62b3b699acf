# wrong: collect
# en: It gives the pages' numbers, not their addresses.
# zh: 给出的是页号，而不是地址。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size - 1) // 4096 + 1):
            log.set_bits(page // 8, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [8 * at + bit for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
