# wrong: overflow
# en: It cuts address + size to 64 bits: a huge length comes back to a small number.
# zh: 把地址加长度截成 64 位：极大的长度绕回成一个小数。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return hva + offset if (gpa + size) % 2**64 <= start + length else None
    return None
