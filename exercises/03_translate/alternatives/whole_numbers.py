# en: Adds without a limit, as Python's integers allow.
# zh: 直接相加，Python 的整数没有上限。
def translate(regions, gpa, size):
    found = [(start, hva) for start, length, hva in regions if start <= gpa and gpa + size <= start + length]
    return found[0][1] + gpa - found[0][0] if found else None
