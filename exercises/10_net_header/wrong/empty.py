# wrong: fields
# en: It does nothing.
# zh: 什么也没做。
def parse(data):
    pass


def frames(buffers):
    pass
