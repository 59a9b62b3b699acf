"""What must hold of passed() and needs_kick()."""

from tour.judge.bench import Bench, Op

NO_NOTIFY = 1
MOVES = ((0, 1), (0, 3), (1, 3), (2, 3), (3, 3), (-1, 3), (40000, 3), (0, 0), (-1, 0), (0, 16), (9, 16), (15, 16))
"""(event, new), counted from old."""


def inside(bench: Bench) -> None:
    """Far from the wrap."""
    olds = [100, bench.random.randrange(1000, 20000)]
    _windows(bench, [(old + event, old + new, old) for old in olds for event, new in MOVES])


def wrap(bench: Bench) -> None:
    """The move, or the event, lies across 65536."""
    olds = [65535, 65534, 65528, 0]
    _windows(bench, [(old + event, old + new, old) for old in olds for event, new in MOVES])


def anywhere(bench: Bench) -> None:
    """Anything at all."""
    cases = []
    for _ in range(60):
        old, move = bench.random.randrange(65536), bench.random.randrange(65536)
        cases += [(old + event, old + move, old) for event in (bench.random.randrange(65536), move, move - 1, -1, 0)]
    _windows(bench, cases)


def _windows(bench: Bench, cases: list[tuple[int, int, int]]) -> None:
    """All are asked before one is judged: the answers together show what is wrong."""
    cases = [(event % 65536, new % 65536, old % 65536) for event, new, old in cases]
    told = [bench.call("passed", *case) for case in cases]
    for (event, new, old), answer in zip(cases, told, strict=True):
        bench.equal(f"passed(event {event}, new {new}, old {old})", _among(event, new, old), answer)


def _among(event: int, new: int, old: int) -> bool:
    """Whether the entry ``event`` is one of those from ``old`` to before ``new``."""
    return (event - old) % 65536 < (new - old) % 65536


def word(bench: Bench) -> None:
    """Every word says something else; one counts."""
    bench.play("driver")
    cases = []
    for event_idx in (False, True):
        for used_flags in (0, NO_NOTIFY):
            for event in (0, 2, 3, -1):
                cases += [(event_idx, used_flags, avail_flags, event) for avail_flags in (0, 1)]
    told = [_ask(bench, *case) for case in cases]
    for (event_idx, used_flags, _, event), answer in zip(cases, told, strict=True):
        wanted = 0 <= event < 3 if event_idx else used_flags == 0
        what = (
            f"EVENT_IDX {'on' if event_idx else 'off'}, used.flags {used_flags}, avail_event old {event:+d}, moved by 3"
        )
        bench.equal(f"needs_kick ({what})", wanted, answer)


def _ask(bench: Bench, event_idx: bool, used_flags: int, avail_flags: int, event: int) -> object:
    """One move by three with the device's words as they are given, and the driver's the other way round."""
    old = bench.base()
    new = (old + 3) % 65536
    ring = bench.ring(num=4, base=old)
    ring.store_used_flags(used_flags)
    ring.store_avail_flags(avail_flags)
    ring.store_avail_event((old + event) % 65536)
    ring.store_used_event((old - 1) % 65536 if 0 <= event < 3 else old)
    ring.store_avail_idx(new)
    return bench.call("needs_kick", bench.handle(ring), new, old, event_idx)


def barrier(bench: Bench) -> None:
    """The device goes to sleep at the very moment the driver looks."""
    bench.play("driver")
    _asleep(bench, False)
    _asleep(bench, True)


def _asleep(bench: Bench, event_idx: bool) -> None:
    """avail.idx is still in the store buffer; right after the driver's load the device asks for a kick and looks."""
    old = bench.base()
    new = (old + 1) % 65536
    ring = bench.ring(base=old)
    ring.store_used_flags(NO_NOTIFY)
    ring.store_avail_event((old - 1) % 65536)
    handle = bench.handle(ring, buffered=True)
    handle.do("store_avail_idx", [new])
    asleep: list[bool] = []
    look = "load_avail_event" if event_idx else "load_used_flags"

    def sleep(op: Op) -> None:
        if op.method == look and not asleep:
            ring.store_used_flags(0)
            ring.store_avail_event(old)
            asleep.append(ring.load_avail_idx() == old)

    bench.talk.after.append(sleep)
    wanted = bench.call("needs_kick", handle, new, old, event_idx)
    bench.talk.after.remove(sleep)
    bench.hold(bool(asleep), look.removeprefix("load_"), "read", "never read")
    bench.hold(not asleep[0] or bool(wanted), "kick", "the device is awake or kicked", "it sleeps, no kick")
