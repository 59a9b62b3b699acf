# wrong: taken
# en: It tells what was outstanding as taken, whatever the ring says.
# zh: 不管环里写了什么，都把在途的链当作收回。
def reap(ring, last, outstanding):
    return [(last + len(outstanding)) % 65536, [(head, writable) for head, writable in outstanding]]
