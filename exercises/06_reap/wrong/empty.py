# wrong: taken
# en: It takes nothing back.
# zh: 什么都没收回。
def reap(ring, last, outstanding):
    return [last, []]
