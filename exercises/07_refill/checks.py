"""What must hold of refill()."""

from tour.judge.bench import Bench, Op
from tour.virtqueue.ring import Ring

WRITE, NEXT = 2, 1
SIZE = 1526


def descriptors(bench: Bench) -> None:
    """Address, length, flags."""
    ring, free, buffers, _ = _filled(bench, 8, 20, 4, 4)
    for head, gpa in zip(free, buffers, strict=True):
        _described(bench, ring, head, gpa)


def _described(bench: Bench, ring: Ring, head: int, gpa: int) -> None:
    desc = ring.read_desc(head)
    found = (f"{desc.addr:#x}", desc.len, desc.flags)
    bench.equal(f"desc[{head}] (gpa, len, flags)", (f"{gpa:#x}", SIZE, WRITE), found)


def entries(bench: Bench) -> None:
    """In the slots of the indices, and what is returned."""
    for base in (20, 65534):
        ring, free, buffers, answer = _filled(bench, 8, base, 4, 4)
        for n, head in enumerate(free):
            slot = ring.slot(base + n)
            bench.equal(f"avail.ring[{slot}]", head, ring.read_avail_entry(slot))
        bench.equal("avail.idx", (base + 4) % 65536, ring.load_avail_idx())
        posted = [list(pair) for pair in zip(free, buffers, strict=True)]
        bench.equal("what is returned", [(base + 4) % 65536, posted], answer)


def room(bench: Bench) -> None:
    """Fewer descriptors than buffers, fewer buffers than descriptors, none of either."""
    for many, few in ((2, 5), (5, 2), (0, 3), (3, 0), (8, 8), (1, 9)):
        ring, free, buffers, answer = _filled(bench, 8, 65530, many, few)
        count = min(many, few)
        given = {op.args[0] for op in bench.talk.log if op.method == "write_desc"}
        what = f"descriptors written ({many} free, {few} buffers)"
        bench.equal(what, sorted(free[:count]), sorted(given))
        posted = [list(pair) for pair in zip(free, buffers, strict=False)]
        bench.equal(f"what is returned ({many} free, {few} buffers)", [(65530 + count) % 65536, posted], answer)
        bench.talk.log.clear()


def batch(bench: Bench) -> None:
    """How often avail.idx is stored."""
    for count in (0, 1, 5):
        _filled(bench, 8, 100, count, count)
        bench.equal(f"stores of avail.idx ({count} buffers)", min(count, 1), len(bench.done("store_avail_idx")))
        bench.talk.log.clear()


def order(bench: Bench) -> None:
    """Whenever avail.idx has moved, what lies before it is whole."""
    bench.play("driver")
    base = 65533
    ring = bench.ring(num=8, base=base)
    free, buffers = _given(bench, 8, 6, 6)
    for n in range(8):
        ring.store_avail_entry(n, 0xFFFF)

    def look(op: Op) -> None:
        for n in range((ring.load_avail_idx() - base) % 65536):
            bench.equal(f"avail.ring[{ring.slot(base + n)}]", free[n], ring.read_avail_entry(base + n))
            _described(bench, ring, free[n], buffers[n])

    bench.talk.after.append(look)
    bench.call("refill", bench.handle(ring), base, free, buffers, SIZE)


def any(bench: Bench) -> None:
    """Any ring, any index, any number."""
    for _ in range(16):
        num = bench.pick([2, 4, 8, 16, 32])
        base = bench.pick([bench.random.randrange(65536), 65536 - bench.random.randrange(1, num)])
        many, few = bench.random.randrange(num + 1), bench.random.randrange(num + 3)
        ring, free, buffers, answer = _filled(bench, num, base, many, few)
        posted = [list(pair) for pair in zip(free, buffers, strict=False)]
        after = (base + len(posted)) % 65536
        bench.equal("what is returned", [after, posted], answer)
        bench.equal("avail.idx", after, ring.load_avail_idx())
        for n, (head, gpa) in enumerate(posted):
            bench.equal("avail.ring", head, ring.read_avail_entry(base + n))
            _described(bench, ring, head, gpa)


def _given(bench: Bench, num: int, many: int, few: int) -> tuple[list[int], list[int]]:
    free = bench.random.sample(range(num), many)
    buffers = [0x100000 + 2048 * at for at in bench.random.sample(range(40), few)]
    return free, buffers


def _filled(bench: Bench, num: int, base: int, many: int, few: int) -> tuple[Ring, list[int], list[int], object]:
    bench.play("driver")
    ring = bench.ring(num=num, index=0, base=base)
    free, buffers = _given(bench, num, many, few)
    return ring, free, buffers, bench.call("refill", bench.handle(ring), base, free, buffers, SIZE)
