# wrong: last
# en: It refuses a range that ends with the region's last byte.
# zh: 拒绝恰好到区域最后一个字节的范围。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return hva + offset if size < length - offset else None
    return None
