# wrong: asks
# en: It neither asks nor looks.
# zh: 既不要求也不看。
def rest(ring, last):
    return True
