"""What must hold of reap()."""

from tour.judge.bench import Bench, Op
from tour.judge.talk import Raised
from tour.virtqueue.ring import Ring

Elements = list[tuple[int, int]]


def taken(bench: Bench) -> None:
    """None, one, several, as many as there are."""
    for count in (0, 1, 3, 4):
        _honest(bench, 8, 100 + 5 * count, count)


def wrap(bench: Bench) -> None:
    """Over 65535, and with all of a ring's slots."""
    for last, count in ((65535, 1), (65534, 4), (65535, 3), (0, 4), (3, 4)):
        _honest(bench, 4, last, count)


def order(bench: Bench) -> None:
    """The device is done with one more just before used.idx is read."""
    ring, last = _ring(bench, 8, 65535), 65535
    ring.store_used_entry(last, 7, 4000)
    held = [[2, 60], [5, 60]]
    late = []

    def finish(op: Op) -> None:
        if op.method == "load_used_idx" and not late:
            late.append(True)
            _finish(ring, last, [(5, 60)])

    bench.talk.before.append(finish)
    answer = bench.call("reap", bench.handle(ring), last, held)
    bench.equal("taken", _told(0, [(5, 60)]), answer)


def jump(bench: Bench) -> None:
    """used.idx beyond what was given, and behind."""
    for held, ahead in ((2, 3), (0, 1), (4, 5), (4, 65535), (3, 40000), (8, 9)):
        ring, last = _ring(bench, 8, 65533), 65533
        heads = list(range(held))
        for n in range(min(ahead, 8)):
            ring.store_used_entry(last + n, n % max(1, held), 0)
        ring.store_used_idx((last + ahead) % 65536)
        what = f"reap (used.idx moved by {ahead}, {held} outstanding)"
        bench.equal(what, "ValueError", _outcome(bench, ring, last, [[head, 100] for head in heads]))


def heads(bench: Bench) -> None:
    """Heads of nobody, heads given back twice, heads beyond the table."""
    for wrong in ([(3, 0)], [(1, 0), (1, 0)], [(1, 0), (7, 0)], [(8, 0)], [(0xFFFFFFFF, 0)], [(2, 0), (1, 0), (2, 0)]):
        ring, last = _ring(bench, 8, 10), 10
        _finish(ring, last, wrong)
        what = f"reap (elements {wrong}, outstanding 1, 2, 5)"
        bench.equal(what, "ValueError", _outcome(bench, ring, last, [[1, 100], [2, 100], [5, 100]]))


def lengths(bench: Bench) -> None:
    """Lengths at the edge, and of another chain's size."""
    for elements, fine in (
        ([(1, 100)], True), ([(1, 101)], False), ([(2, 0)], True), ([(2, 1)], False), ([(5, 0xFFFFFFFF)], False),
        ([(5, 1500), (1, 1500)], False), ([(5, 1500), (1, 100), (2, 0)], True),
    ):  # fmt: skip
        ring, last = _ring(bench, 8, 65535), 65535
        _finish(ring, last, elements)
        wanted = _told((last + len(elements)) % 65536, elements) if fine else "ValueError"
        what = f"reap (elements {elements}, writable 1: 100, 2: 0, 5: 1500)"
        bench.equal(what, wanted, _outcome(bench, ring, last, [[1, 100], [2, 0], [5, 1500]]))


def anything(bench: Bench) -> None:
    """Honest and dishonest elements in any order."""
    for _ in range(24):
        num = bench.pick([4, 8, 16])
        last = bench.pick([bench.random.randrange(65536), 65536 - bench.random.randrange(1, num)])
        held = {
            head: bench.pick([0, 60, 1500]) for head in bench.random.sample(range(num), bench.random.randrange(1, num))
        }
        done = bench.random.sample(sorted(held), bench.random.randrange(len(held) + 1))
        elements = [(head, bench.random.randrange(held[head] + 1)) for head in done]
        if elements and bench.random.random() < 0.5:
            at = bench.random.randrange(len(elements))
            head, length = elements[at]
            elements[at] = bench.pick([(num + head, length), (head, held[head] + 1), (elements[at - 1][0], 0)])
        ring = _ring(bench, num, last)
        _finish(ring, last, elements)
        fine = len({head for head, _ in elements}) == len(elements) and all(
            length <= held.get(head, -1) for head, length in elements
        )
        wanted = _told((last + len(elements)) % 65536, elements) if fine else "ValueError"
        bench.equal("reap", wanted, _outcome(bench, ring, last, [list(item) for item in held.items()]))


def _ring(bench: Bench, num: int, last: int) -> Ring:
    bench.play("driver")
    return bench.ring(num=num, base=last)


def _finish(ring: Ring, last: int, elements: Elements) -> None:
    """The device's part: elements, then used.idx."""
    for n, (head, length) in enumerate(elements):
        ring.store_used_entry(last + n, head, length)
    ring.store_used_idx((last + len(elements)) % 65536)


def _honest(bench: Bench, num: int, last: int, count: int) -> None:
    ring = _ring(bench, num, last)
    heads = bench.random.sample(range(num), min(num, count + 1))
    elements = [(head, bench.random.randrange(1, 100)) for head in heads[:count]]
    for n in range(num):
        ring.store_used_entry(last + n, 0xFFFF, 0xFFFF)
    _finish(ring, last, elements)
    answer = bench.call("reap", bench.handle(ring), last, [[head, 100] for head in reversed(heads)])
    bench.equal(f"reap (from index {last}, {count} new)", _told((last + count) % 65536, elements), answer)


def _told(index: int, elements: Elements) -> list:
    return [index, [list(element) for element in elements]]


def _outcome(bench: Bench, ring: Ring, last: int, held: list[list[int]]) -> object:
    """What it returned, or the exception's name."""
    try:
        return bench.call("reap", bench.handle(ring), last, held)
    except Raised as error:
        if error.kind != "ValueError":
            raise
        return "ValueError"
