# wrong: bit
# en: It marks the first page, whatever was written.
# zh: 不管写了哪里，都标第一页。
def mark(log, gpa, size):
    log.set_bits(0, 1)


def collect(log):
    return [0]
