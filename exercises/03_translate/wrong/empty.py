# wrong: inside
# en: It finds nothing.
# zh: 什么都找不到。
def translate(regions, gpa, size):
    return None
