# wrong: sizes
# en: It says nothing.
# zh: 什么都没返回。
def sizes(num):
    return None


def place(num, base):
    return None
