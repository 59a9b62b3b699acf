"""What must hold of mark() and collect()."""

from tour.judge.bench import Bench, Op
from tour.judge.device_side import LogHandle

PAGE = 4096
SIZE = 32
"""Bytes of the log: 256 pages, 1 MiB."""


def bit(bench: Bench) -> None:
    """Writes inside one page, each on a fresh log."""
    for page in (0, 1, 7, 8, 9, 255, bench.random.randrange(10, 250)):
        log = LogHandle("log", SIZE)
        bench.call("mark", log, page * PAGE + bench.random.randrange(PAGE - 64), bench.random.randrange(1, 64))
        _same(bench, {page}, log)


def kept(bench: Bench) -> None:
    """Marks that were there, and those set between any two steps, stay."""
    log = LogHandle("log", SIZE)
    wanted = {page for page in range(64) if bench.random.random() < 0.4} | {0, 16}
    _put(log, wanted)
    bench.talk.after.append(lambda op: wanted.update(_meddle(bench, log, op)))
    for page in (1, 17, bench.random.randrange(20, 60)):
        wanted.add(page)
        bench.call("mark", log, page * PAGE + 100, 50)
    _same(bench, wanted, log)


def spread(bench: Bench) -> None:
    """Over borders, to the last byte of a page, and not at all."""
    here = bench.random.randrange(3, 100)
    at = here * PAGE
    inside = bench.random.randrange(1, PAGE)
    writes = [
        (at, PAGE, {here}),
        (at + inside, PAGE - inside, {here}),
        (at + inside, PAGE, {here, here + 1}),
        (at + PAGE - 1, 2, {here, here + 1}),
        (at + inside, 0, set()),
        (at, 0, set()),
        (at, 20 * PAGE, {here + n for n in range(20)}),
        (at + PAGE - 1, 9 * PAGE + 2, {here + n for n in range(11)}),
    ]
    logs = [LogHandle("log", SIZE) for _ in writes]
    for log, (gpa, size, _) in zip(logs, writes, strict=True):
        bench.call("mark", log, gpa, size)
    for log, (gpa, size, wanted) in zip(logs, writes, strict=True):
        _same(bench, wanted, log, f" after a write of {size} bytes at {gpa:#x}")


def collect(bench: Bench) -> None:
    """All of them, lowest first, and the log is empty."""
    for pages in ({0, 1, 9, 255}, {7, 8, 16, 100, *bench.random.sample(range(256), 20)}, set()):
        log = LogHandle("log", SIZE)
        _put(log, pages)
        found = bench.call("collect", log)
        bench.equal("the returned addresses", [page * PAGE for page in sorted(pages)], found)
        bench.equal("the marks left", [], sorted(log.pages()))


def meanwhile(bench: Bench) -> None:
    """After each step on a byte the device marks one more page of it."""
    log = LogHandle("log", SIZE)
    _put(log, {page for page in range(256) if bench.random.random() < 0.3})
    marked = log.pages()
    bench.talk.after.append(lambda op: marked.update(_meddle(bench, log, op)))
    found = bench.call("collect", log)
    bench.hold(isinstance(found, list), "what is returned", "a list", type(found).__name__)
    known = {at // PAGE for at in found if isinstance(at, int)} | log.pages()
    missing = sorted(marked - known)
    bench.hold(not missing, "marks", "returned or still there", f"lost: pages {missing[:8]}")
    bench.equal("pages returned that nobody wrote", [], sorted(known - marked))


def anything(bench: Bench) -> None:
    """Writes of any size, collected now and then."""
    log = LogHandle("log", SIZE)
    for _ in range(6):
        wanted: set[int] = set()
        for _ in range(4):
            gpa, size = bench.random.randrange(200 * PAGE), bench.pick([0, 1, 54, 2048, 4096, 9000, 65535])
            wanted |= {at // PAGE for at in range(gpa, gpa + size)}
            bench.call("mark", log, gpa, size)
        bench.equal("the returned addresses", [page * PAGE for page in sorted(wanted)], bench.call("collect", log))


def _same(bench: Bench, wanted: set[int], log: LogHandle, when: str = "") -> None:
    """The bytes of the log where the two differ."""
    right = LogHandle("right", SIZE)
    _put(right, wanted)
    for at in range(SIZE):
        bench.equal(f"log[{at}]{when}", f"{right.bits[at]:#04x}", f"{log.bits[at]:#04x}")


def _put(log: LogHandle, pages: set[int]) -> None:
    for page in pages:
        log.bits[page // 8] |= 1 << page % 8


def _meddle(bench: Bench, log: LogHandle, op: Op) -> set[int]:
    """Somebody else marks a page in the byte that was just read; which."""
    if op.on != "log" or op.method not in ("load", "take"):
        return set()
    free = [page for page in range(8 * op.args[0], 8 * op.args[0] + 8) if page not in log.pages()]
    chosen = {bench.pick(free)} if free else set()
    _put(log, chosen)
    return chosen
