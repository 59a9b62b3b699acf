"""From vhost's feature word to the one that vhost is told, over device and driver."""

VERSION_1, LOG_ALL = 32, 26


def names(word: int, table: list[tuple[int, str]]) -> list[str]:
    """The names of the bits set in a feature word, lowest bit first; ``bit N`` for one that has no name."""
    # step 1: Look at one bit after another, and name those that are set. | 逐位查看，给置位的各位写出名字。
    known = dict(table)
    return [known.get(n, f"bit {n}") for n in range(word.bit_length()) if word >> n & 1]
    # end


def offer(own: int, vhost: int, shared: int) -> int:
    """What the device offers: of the bits in ``shared`` only those that vhost has too."""
    # step 2: Take out what vhost must know and does not. | 去掉 vhost 必须认识却不认识的位。
    return own & ~(shared & ~vhost)
    # end


def accept(offered: int, wanted: int, requires: list[tuple[int, int]]) -> int:
    """The driver's word. ``requires`` has (feature, the one it requires), as bit numbers."""
    # step 3: What is offered and wanted, and VERSION_1 if it is offered. | 既提供又想要的；有 VERSION_1 就也要。
    word = offered & (wanted | 1 << VERSION_1)
    # end
    # step 4: Drop what requires something not accepted, until nothing is dropped. | 去掉所需未被接受的，直到无可去。
    while dropped := {bit for bit, needed in requires if word >> bit & 1 and not word >> needed & 1}:
        for bit in dropped:
            word -= 1 << bit
    # end
    return word


def tell(driver: int, vhost: int, logging: bool) -> int:
    """The word for SET_FEATURES; with ``logging`` vhost is to note the pages that it writes."""
    # step 5: The bits that both have, and LOG_ALL while there is logging. | 双方都有的位，记录期间再加 LOG_ALL。
    word = driver & vhost
    return word | 1 << LOG_ALL if logging else word
    # end
