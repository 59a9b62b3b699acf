# wrong: hole
# en: It goes on from one region into the next as if they lay side by side here too.
# zh: 从一个区域直接走到下一个区域，好像它们在这里也相邻。
def translate(regions, gpa, size):
    ends = {start: start + length for start, length, hva in regions}
    for start, length, hva in regions:
        if start <= gpa < start + length:
            end = start + length
            while end in ends:
                end = ends[end]
            return hva + gpa - start if gpa + size <= end else None
    return None
