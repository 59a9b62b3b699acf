# wrong: inside
# en: It takes the guest physical address for an address of this process.
# zh: 把客户机物理地址当成了本进程的地址。
"""A guest physical address becomes an address of this process."""


def translate(regions: list[tuple[int, int, int]], gpa: int, size: int) -> int | None:
    """The HVA of ``size`` bytes at ``gpa``, None unless one region holds them all."""
    for start, length, hva in regions:
        offset = gpa - start
        if not 0 <= offset < length:
            continue
        return gpa if size <= length - offset else None
    return None
