# wrong: hole
# en: It takes the first byte behind a region for its own.
# zh: 把区域之后的第一个字节也算作区域内。
def translate(regions, gpa, size):
    for start, length, hva in regions:
        offset = gpa - start
        if 0 <= offset <= length and (offset == length or size <= length - offset):
            return hva + offset
    return None
