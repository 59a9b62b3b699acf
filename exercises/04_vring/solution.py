"""The three parts of a split ring: how large, and where."""

LARGEST = 32768


def sizes(num: int) -> tuple[int, int, int]:
    """Bytes of descriptor table, available ring and used ring. Raises ValueError for what is no ring's size."""
    # step 1: Refuse what is no power of two from 1 to 32768. | 拒绝不是 1 到 32768 之间 2 的幂的数。
    if not 1 <= num <= LARGEST or num & (num - 1):
        raise ValueError(f"{num} is no ring's size")
    # end
    # step 2: The bytes of each part. | 每一部分的字节数。
    return 16 * num, 6 + 2 * num, 6 + 8 * num
    # end


def up(address: int, align: int) -> int:
    """The first multiple of ``align`` from ``address`` on."""
    # step 3: Round up. | 向上取整。
    return (address + align - 1) // align * align
    # end


def place(num: int, base: int) -> tuple[int, int, int]:
    """The addresses of the three parts, one behind the other from ``base`` on. Raises ValueError as ``sizes``."""
    desc_size, avail_size, _ = sizes(num)
    # step 4: Each part at the next address that is aligned for it. | 每一部分放在下一个对它来说已对齐的地址。
    desc = up(base, 16)
    avail = up(desc + desc_size, 2)
    used = up(avail + avail_size, 4)
    return desc, avail, used
    # end
