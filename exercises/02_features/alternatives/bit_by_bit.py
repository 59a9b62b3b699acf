# en: Goes over the bits one by one, with sets of numbers.
# zh: 用位号的集合，逐位处理。
def bits(word):
    return {n for n in range(64) if word & (1 << n)}


def word_of(numbers):
    return sum(1 << n for n in numbers)


def names(word, table):
    found = []
    for n in sorted(bits(word)):
        name = [known for number, known in table if number == n]
        found.append(name[0] if name else "bit " + str(n))
    return found


def offer(own, vhost, shared):
    return word_of(n for n in bits(own) if n not in bits(shared) or n in bits(vhost))


def accept(offered, wanted, requires):
    taken = bits(offered) & (bits(wanted) | {32})
    while any(bit in taken and needed not in taken for bit, needed in requires):
        taken -= {bit for bit, needed in requires if needed not in taken}
    return word_of(taken)


def tell(driver, vhost, logging):
    return word_of((bits(driver) & bits(vhost)) | ({26} if logging else set()))
