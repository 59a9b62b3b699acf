# wrong: inside
# en: It adds the address itself to hva, not its distance from the region's start.
# zh: 把地址本身加到 hva 上，而不是加上它到区域起点的距离。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return hva + gpa if size <= length - offset else None
    return None
