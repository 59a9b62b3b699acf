"""Keep the dirty log."""

PAGE = 4096


def mark(log, gpa: int, size: int) -> None:
    """Mark every page that a write of ``size`` bytes at ``gpa`` touches."""
    # step 1: A write of nothing marks nothing. | 什么都没写，就什么都不标。
    if size == 0:
        return
    # end
    # step 2: Find the first and the last page it touches. | 找出写到的第一页和最后一页。
    first, last = gpa // PAGE, (gpa + size - 1) // PAGE
    # end
    # step 3: Set each page's bit, in one step. | 每页一位，一步置上。
    for page in range(first, last + 1):
        log.set_bits(page // 8, 1 << page % 8)
    # end


def collect(log) -> list[int]:
    """The guest addresses of all marked pages, lowest first; their marks are cleared."""
    # step 4: Take the marks of each byte, in one step. | 逐个字节取走标记，各一步。
    taken = [log.take(at) for at in range(log.size)]
    # end
    # step 5: Say which pages they are. | 说出它们是哪些页。
    return [page * PAGE for page in range(8 * log.size) if taken[page // 8] >> page % 8 & 1]
    # end
