# en: Adds page for page, and looks at a byte before it takes it, as QEMU does.
# zh: 一页一页地加，取走之前先看一眼，和 QEMU 一样。
def mark(log, gpa, size):
    end = gpa + size
    while gpa < end:
        page = gpa >> 12
        log.set_bits(page >> 3, 1 << (page & 7))
        gpa = (page + 1) << 12


def collect(log):
    found = []
    for at in range(log.size):
        if not log.load(at):
            continue
        bits = log.take(at)
        for bit in range(8):
            if bits & (1 << bit):
                found.append((at * 8 + bit) << 12)
    return found
