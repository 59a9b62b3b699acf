# wrong: sizes
# en: It knows one size only.
# zh: 只知道一种大小。
def sizes(num):
    return 128, 22, 70


def place(num, base):
    return 0, 128, 152
