# wrong: last
# en: It looks at the first byte only: the range may go past the region's end.
# zh: 只看第一个字节：范围可能越过区域末尾。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return hva + offset
    return None
