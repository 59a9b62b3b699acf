# wrong: named
# en: It makes nothing of any word.
# zh: 什么也没得出。
def names(word, table):
    return []


def offer(own, vhost, shared):
    return 0


def accept(offered, wanted, requires):
    return 0


def tell(driver, vhost, logging):
    return 0
