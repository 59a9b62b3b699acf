# wrong: last
# en: It lets the range go one byte past the region's end.
# zh: 让范围越过区域末尾一个字节。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return hva + offset if size <= length - offset + 1 else None
    return None
