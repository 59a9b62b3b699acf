# wrong: required
# en: It adds what is required, whether it was offered or wanted or not.
# zh: 把所需的特性加了进来，不管是否提供、是否想要。
# misconception: driver-adds-bits
"""From vhost's feature word to the one that vhost is told, over device and driver."""

VERSION_1, LOG_ALL = 32, 26


def names(word: int, table: list[tuple[int, str]]) -> list[str]:
    """The names of the bits set in a feature word, lowest bit first; ``bit N`` for one that has no name."""
    known = dict(table)
    return [known.get(n, f"bit {n}") for n in range(word.bit_length()) if word >> n & 1]


def offer(own: int, vhost: int, shared: int) -> int:
    """What the device offers: of the bits in ``shared`` only those that vhost has too."""
    return own & ~(shared & ~vhost)


def accept(offered: int, wanted: int, requires: list[tuple[int, int]]) -> int:
    """The driver's word. ``requires`` has (feature, the one it requires), as bit numbers."""
    word = offered & (wanted | 1 << VERSION_1)
    for _ in requires:
        for bit, needed in requires:
            if word >> bit & 1:
                word |= 1 << needed
    return word


def tell(driver: int, vhost: int, logging: bool) -> int:
    """The word for SET_FEATURES; with ``logging`` vhost is to note the pages that it writes."""
    word = driver & vhost
    return word | 1 << LOG_ALL if logging else word
