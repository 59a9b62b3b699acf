# wrong: sizes
# en: It takes a used element for 4 bytes: it is id and len, 8 bytes.
# zh: 把已用环的元素当成 4 字节：它是 id 和 len，共 8 字节。
"""The three parts of a split ring: how large, and where."""

LARGEST = 32768


def sizes(num: int) -> tuple[int, int, int]:
    """Bytes of descriptor table, available ring and used ring. Raises ValueError for what is no ring's size."""
    if not 1 <= num <= LARGEST or num & (num - 1):
        raise ValueError(f"{num} is no ring's size")
    return 16 * num, 6 + 2 * num, 6 + 4 * num


def up(address: int, align: int) -> int:
    """The first multiple of ``align`` from ``address`` on."""
    return (address + align - 1) // align * align


def place(num: int, base: int) -> tuple[int, int, int]:
    """The addresses of the three parts, one behind the other from ``base`` on. Raises ValueError as ``sizes``."""
    desc_size, avail_size, _ = sizes(num)
    desc = up(base, 16)
    avail = up(desc + desc_size, 2)
    used = up(avail + avail_size, 4)
    return desc, avail, used
