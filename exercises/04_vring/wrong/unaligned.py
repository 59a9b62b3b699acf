# wrong: aligned
# en: It puts the parts side by side without a look at alignment.
# zh: 各部分紧挨着放，没有对齐。
"""The three parts of a split ring: how large, and where."""

LARGEST = 32768


def sizes(num: int) -> tuple[int, int, int]:
    """Bytes of descriptor table, available ring and used ring. Raises ValueError for what is no ring's size."""
    if not 1 <= num <= LARGEST or num & (num - 1):
        raise ValueError(f"{num} is no ring's size")
    return 16 * num, 6 + 2 * num, 6 + 8 * num


def up(address: int, align: int) -> int:
    """The first multiple of ``align`` from ``address`` on."""
    return address


def place(num: int, base: int) -> tuple[int, int, int]:
    """The addresses of the three parts, one behind the other from ``base`` on. Raises ValueError as ``sizes``."""
    desc_size, avail_size, _ = sizes(num)
    desc = up(base, 16)
    avail = up(desc + desc_size, 2)
    used = up(avail + avail_size, 4)
    return desc, avail, used
