# wrong: told
# en: It never sets LOG_ALL.
# zh: 从不设置 LOG_ALL。
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
    while dropped := {bit for bit, needed in requires if word >> bit & 1 and not word >> needed & 1}:
        for bit in dropped:
            word -= 1 << bit
    return word


def tell(driver: int, vhost: int, logging: bool) -> int:
    """The word for SET_FEATURES; with ``logging`` vhost is to note the pages that it writes."""
    word = driver & vhost
    return word
