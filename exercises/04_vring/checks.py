"""What must hold of sizes() and place()."""

from tour.judge.bench import Bench
from tour.virtqueue.layout import plan

POWERS = [1 << n for n in range(16)]


def sizes(bench: Bench) -> None:
    """Every size there is."""
    told = [bench.call("sizes", num) for num in POWERS]
    for num, answer in zip(POWERS, told, strict=True):
        layout = plan(num, 0)
        for at, (name, size) in enumerate(
            (("desc", layout.desc_size), ("avail", layout.avail_size), ("used", layout.used_size))
        ):
            found = answer[at] if isinstance(answer, list) and len(answer) == 3 else answer
            bench.equal(f"sizes({num}), {name}", size, found)


def powers(bench: Bench) -> None:
    """What is no size, next to sizes, at both functions."""
    odd = [0, 3, 5, 6, 12, 24, 100, 255, 257, 32767, 32769, 65536, 1 << 20, -8, -1]
    told = [(what, num, _refused(bench, what, num)) for num in odd for what in ("sizes", "place")]
    for what, num, refused in told:
        bench.equal(f"{what}({num}) raises ValueError", True, refused)


def _refused(bench: Bench, what: str, num: int) -> bool:
    from tour.judge.talk import Raised

    try:
        bench.call(what, num, *((0x1000,) if what == "place" else ()))
    except Raised as error:
        if error.kind != "ValueError":
            raise
        return True
    return False


def aligned(bench: Bench) -> None:
    """From addresses that are aligned for nothing."""
    told = _placed(bench, [(num, base) for num in (1, 2, 4, 8, 256) for base in (1, 3, 7, 4093, 0x40000 + 9)])
    for (num, base), places in told:
        for (name, align), address in zip((("desc", 16), ("avail", 2), ("used", 4)), places, strict=True):
            bench.equal(f"place({num}, {base:#x}), {name} modulo {align}", 0, address % align)


def apart(bench: Bench) -> None:
    """The very addresses."""
    told = _placed(bench, [(num, base) for num in (1, 2, 4, 8, 256, 32768) for base in (0, 16, 1, 0x40000, 0x40007)])
    _exactly(bench, told)


def anywhere(bench: Bench) -> None:
    """Any size, any address."""
    cases = [(bench.pick(POWERS), bench.random.randrange(1 << 40)) for _ in range(60)]
    _exactly(bench, _placed(bench, cases))


def _placed(bench: Bench, cases: list[tuple[int, int]]) -> list[tuple[tuple[int, int], list[int]]]:
    """All are asked before one is judged."""
    told = [(case, bench.call("place", *case)) for case in cases]
    for (num, base), answer in told:
        right = isinstance(answer, list) and len(answer) == 3 and all(isinstance(one, int) for one in answer)
        bench.hold(right, f"place({num}, {base:#x})", "three addresses", answer)
    return told


def _exactly(bench: Bench, told: list[tuple[tuple[int, int], list[int]]]) -> None:
    for (num, base), places in told:
        layout = plan(num, base)
        for name, right, found in zip(
            ("desc", "avail", "used"), (layout.desc, layout.avail, layout.used), places, strict=True
        ):
            bench.equal(f"place({num}, {base:#x}), {name}", right, found)
