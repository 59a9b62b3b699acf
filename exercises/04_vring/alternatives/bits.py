# en: Rounds with a mask and counts bits.
# zh: 用掩码取整，数二进制位。
def sizes(num):
    if num not in [1 << n for n in range(16)]:
        raise ValueError(num)
    return [num * 16, num * 2 + 4 + 2, num * 8 + 4 + 2]


def place(num, base):
    desc_size, avail_size, _ = sizes(num)
    desc = (base + 15) & ~15
    avail = desc + desc_size
    return [desc, avail, (avail + avail_size + 3) & ~3]
