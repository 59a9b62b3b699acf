# wrong: inside
# en: It always says yes.
# zh: 总是回答“是”。
def passed(event, new, old):
    return True


def needs_kick(ring, new, old, event_idx):
    return True
