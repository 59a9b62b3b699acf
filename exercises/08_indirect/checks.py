"""What must hold of build()."""

from tour.judge.bench import Bench
from tour.virtqueue.ring import Desc, Ring, unpack_desc

NEXT, WRITE, INDIRECT = 1, 2, 4
Piece = tuple[int, int, bool]
SHAPES = ((1, 0), (3, 0), (0, 2), (2, 3))
"""How many pieces to read and to write."""


def pieces(bench: Bench) -> None:
    """Addresses and lengths, in the order that is right already."""
    for shape in SHAPES:
        ring, table, given, answer = _built(bench, _pieces(bench, *shape))
        bench.equal("the number of entries", len(given), answer)
        for n, (gpa, size, _) in enumerate(given):
            entry = _entry(bench, table, n)
            found = (f"{entry.addr:#x}", entry.len)
            bench.equal(f"entry {n} of {len(given)} (gpa, len)", (f"{gpa:#x}", size), found)


def links(bench: Bench) -> None:
    """NEXT and next."""
    for shape in SHAPES:
        _, table, given, _ = _built(bench, _pieces(bench, *shape))
        for n in range(len(given)):
            entry, more = _entry(bench, table, n), n + 1 < len(given)
            found = (entry.flags & NEXT, entry.next)
            bench.equal(f"entry {n} of {len(given)} (NEXT, next)", (NEXT * more, (n + 1) * more), found)


def writes(bench: Bench) -> None:
    """Pieces given in any order."""
    for shape in ((1, 1), (2, 2), (1, 3)):
        given = _pieces(bench, *shape)[::-1]
        _whole(bench, given, _built(bench, given)[1])


def head(bench: Bench) -> None:
    """The ring's descriptor."""
    for shape in SHAPES:
        ring, table, given, _ = _built(bench, _pieces(bench, *shape), head=2)
        desc = ring.read_desc(2)
        found = (f"{desc.addr:#x}", desc.len, desc.flags)
        bench.equal("desc[2] (gpa, len, flags)", (f"{table:#x}", 16 * len(given), INDIRECT), found)


def only(bench: Bench) -> None:
    """What else was written."""
    given = _pieces(bench, 2, 2)
    _built(bench, given, head=3)
    bench.equal("descriptors written", [3], sorted({op.args[0] for op in bench.done("write_desc")}))
    bench.equal("entries written", list(range(4)), sorted(op.args[1] for op in bench.done("write_table")))
    stores = [op.method for op in bench.talk.log if op.method.startswith("store_")]
    bench.equal("stores to the rings", [], stores)


def any(bench: Bench) -> None:
    """Any pieces."""
    for _ in range(12):
        given = _pieces(bench, bench.random.randrange(6), bench.random.randrange(1, 6))
        bench.random.shuffle(given)
        ring, table, _, answer = _built(bench, given, head=1)
        bench.equal("the number of entries", len(given), answer)
        _whole(bench, given, table)
        bench.equal("desc[1]", Desc(table, 16 * len(given), INDIRECT), ring.read_desc(1))


def _whole(bench: Bench, given: list[Piece], table: int) -> None:
    right = [one for one in given if not one[2]] + [one for one in given if one[2]]
    for n, (gpa, size, writable) in enumerate(right):
        more = n + 1 < len(right)
        wanted = Desc(gpa, size, WRITE * writable | NEXT * more, (n + 1) * more)
        bench.equal(f"entry {n} of {len(right)}", wanted, _entry(bench, table, n))


def _pieces(bench: Bench, reads: int, writes: int) -> list[Piece]:
    places = bench.random.sample(range(64), reads + writes)
    sizes = [bench.random.randrange(1, 2000) for _ in places]
    return [(0x100000 + 4096 * at, size, n >= reads) for n, (at, size) in enumerate(zip(places, sizes, strict=True))]


def _built(bench: Bench, given: list[Piece], head: int = 0) -> tuple[Ring, int, list[Piece], object]:
    bench.play("driver")
    ring = bench.ring(num=16)
    table = bench.room(16 * 16)
    answer = bench.call("build", bench.handle(ring), head, table, [list(piece) for piece in given])
    return ring, table, given, answer


def _entry(bench: Bench, table: int, n: int) -> Desc:
    return unpack_desc(bench.memory.read(table + 16 * n, 16))
