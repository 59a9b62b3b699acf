# wrong: inside
# en: It does nothing.
# zh: 什么也没做。
def passed(event, new, old):
    pass


def needs_kick(ring, new, old, event_idx):
    pass
