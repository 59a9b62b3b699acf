# wrong: bit
# en: It does nothing.
# zh: 什么也没做。
def mark(log, gpa, size):
    pass


def collect(log):
    return []
