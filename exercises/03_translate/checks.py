"""What must hold of translate()."""

from tour.judge.bench import Bench

LIMIT = 1 << 64
Region = tuple[int, int, int]


def inside(bench: Bench) -> None:
    """Ranges well inside."""
    regions = _table(bench)
    _ask(bench, regions, [(start + length // 2 + n, 16) for start, length, _ in regions for n in (0, 1, 17)])
    _ask(bench, regions, [(start, 1) for start, _, _ in regions])


def last(bench: Bench) -> None:
    """Around the last byte."""
    regions = _table(bench)
    cases = []
    for start, length, _ in regions:
        end = start + length
        cases += [
            (end - 1, 1),
            (end - 1, 2),
            (end - 8, 8),
            (end - 8, 9),
            (end - 8, 12),
            (start, length),
            (start, length + 1),
        ]
    _ask(bench, regions, cases)


def hole(bench: Bench) -> None:
    """Before, between and behind the regions, and over two that touch."""
    regions = _table(bench)
    ends = [(start, start + length) for start, length, _ in regions]
    cases = [(end, 1) for _, end in ends[1:]] + [(start - 1, 1) for start, _ in ends if start]
    touching = [(0, 4096, 0x7F0000000000), (4096, 4096, 0x7F0000100000)]
    _ask(bench, regions, [*cases, (ends[0][1] + 4096, 64), (LIMIT - 1, 1)])
    _ask(bench, touching, [(4095, 1), (4095, 2), (4096, 4096), (0, 8192)])


def overflow(bench: Bench) -> None:
    """Lengths that lead past 2^64 and seem to come back."""
    regions = _table(bench)
    start, length, _ = regions[-1]
    cases = [(start + 16, LIMIT - 16), (start + 16, LIMIT - 1), (start, LIMIT - 1), (start + 16, LIMIT - start - 1)]
    _ask(bench, regions, [*cases, (start + length - 1, LIMIT - length + 2), (LIMIT - 16, 32), (LIMIT - 16, 16)])
    top = [(LIMIT - 8192, 8192, 0x7F0000000000)]
    _ask(bench, top, [(LIMIT - 16, 16), (LIMIT - 16, 17), (LIMIT - 1, 1), (LIMIT - 8192, 8192)])


def anywhere(bench: Bench) -> None:
    """Any table, any range near any edge."""
    for _ in range(12):
        regions = _table(bench)
        edges = [edge for start, length, _ in regions for edge in (start, start + length)]
        near = [max(0, bench.pick(edges) + bench.random.randrange(-20, 21)) for _ in range(12)]
        _ask(bench, regions, [(gpa, bench.pick([1, 2, 8, 20, 4096, 1 << 32, LIMIT - 1])) for gpa in near])


def _table(bench: Bench) -> list[Region]:
    """Two to four regions with holes between, in any order, none at the HVA of its GPA."""
    regions, at = [], 0
    for _ in range(bench.random.randrange(2, 5)):
        length = 4096 * bench.random.randrange(1, 64)
        regions.append((at, length, 0x7F0000000000 + 4096 * bench.random.randrange(1 << 20)))
        at += length + 4096 * bench.random.randrange(1, 32)
    bench.random.shuffle(regions)
    return regions


def _ask(bench: Bench, regions: list[Region], cases: list[tuple[int, int]]) -> None:
    """All are asked before one is judged: the answers together show what is wrong."""
    told = [bench.call("translate", [list(one) for one in regions], gpa, size) for gpa, size in cases]
    for (gpa, size), answer in zip(cases, told, strict=True):
        bench.equal(f"translate({gpa:#x}, {size:#x})", _right(regions, gpa, size), answer)


def _right(regions: list[Region], gpa: int, size: int) -> int | None:
    for start, length, hva in regions:
        if start <= gpa and gpa + size <= start + length:
            return hva + gpa - start
    return None
