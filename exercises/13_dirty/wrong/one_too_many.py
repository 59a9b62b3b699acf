# wrong: spread
# en: It takes the byte after the last for one that was written.
# zh: 把最后一个字节的下一个也算作写过。
def mark(log, gpa, size):
    if size:
        for page in range(gpa // 4096, (gpa + size) // 4096 + 1):
            log.set_bits(page // 8 % log.size, 1 << page % 8)


def collect(log):
    taken = [log.take(at) for at in range(log.size)]
    return [(8 * at + bit) * 4096 for at, bits in enumerate(taken) for bit in range(8) if bits >> bit & 1]
