"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        # step 1: How far into this region it lies; go on if it is not in it. | 它在该区域里的偏移；不在其中就看下一个。
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        # end
        # step 2: The HVA if all bytes are in the region, None if not. | 所有字节都在该区域内则为 HVA，否则为 None。
        return hva + offset if size <= length - offset else None
        # end
    return None
