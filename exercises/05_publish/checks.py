"""What must hold of publish()."""

from tour.judge.bench import Bench, Op

NO_NOTIFY = 1


def entries(bench: Bench) -> None:
    """The heads stand in the slots of their indices."""
    _publish(bench, index_too=False)


def index(bench: Bench) -> None:
    """avail.idx is the index after them, and so is what is returned."""
    _publish(bench)


def order(bench: Bench) -> None:
    """Whenever avail.idx has moved, what lies before it is written."""
    bench.play("driver")
    base = bench.base()
    ring = bench.ring(base=base)
    heads = bench.random.sample(range(ring.num), min(3, ring.num))
    for n in range(len(heads)):
        ring.store_avail_entry(base + n, 0xFFFF)
    bench.talk.after.append(lambda op: _look(bench, ring, base, heads))
    bench.call("publish", bench.handle(ring), base, heads, bench.doorbell("kick"))


def _look(bench: Bench, ring, base: int, heads: list[int]) -> None:
    for n in range((ring.load_avail_idx() - base) % 65536):
        if n < len(heads):
            bench.equal(f"avail.ring[{ring.slot(base + n)}]", heads[n], ring.read_avail_entry(base + n))


def kick(bench: Bench) -> None:
    """One kick when the device wants kicks, none when it does not, whatever avail.flags says."""
    bench.play("driver")
    for used_flags in (0, NO_NOTIFY):
        for avail_flags in (0, 1):
            _once(bench, used_flags, avail_flags)


def _once(bench: Bench, used_flags: int, avail_flags: int) -> None:
    ring = bench.ring()
    ring.store_used_flags(used_flags)
    ring.store_avail_flags(avail_flags)
    before = bench.rung("kick")
    bench.call("publish", bench.handle(ring), 0, [0], bench.doorbell("kick"))
    bench.equal(
        f"kicks (used.flags {used_flags}, avail.flags {avail_flags})", 1 - used_flags, bench.rung("kick") - before
    )


def wakeup(bench: Bench) -> None:
    """The device goes to sleep at the very moment the driver reads the flags."""
    bench.play("driver")
    base = bench.base()
    ring = bench.ring(base=base)
    ring.store_used_flags(NO_NOTIFY)
    asleep: list[bool] = []

    def sleep(op: Op) -> None:
        if op.method == "load_used_flags" and not asleep:
            ring.store_used_flags(0)
            asleep.append(ring.load_avail_idx() == base)

    bench.talk.after.append(sleep)
    bench.call("publish", bench.handle(ring, buffered=True), base, [0], bench.doorbell("kick"))
    bench.hold(bool(asleep), "used.flags", "read", "never read")
    lost = asleep[0] and not bench.rung("kick")
    bench.hold(not lost, "kick", "the device is awake or kicked", "the device sleeps, 1 entry waits, no kick")


def wrap(bench: Bench) -> None:
    """Many sizes and indices."""
    for base in (0, 1, 32767, 65533, 65535, bench.base()):
        _round(bench, base)


def _publish(bench: Bench, index_too: bool = True) -> None:
    for base in (bench.random.randrange(100, 60000), 65535):
        _round(bench, base, index_too)


def _round(bench: Bench, base: int, index_too: bool = True) -> None:
    bench.play("driver")
    ring = bench.ring(base=base)
    heads = bench.random.sample(range(ring.num), bench.random.randrange(2, ring.num + 1))
    returned = bench.call("publish", bench.handle(ring), base, heads, bench.doorbell("kick"))
    for n, head in enumerate(heads):
        bench.equal(f"avail.ring[{ring.slot(base + n)}]", head, ring.read_avail_entry(base + n))
    if index_too:
        after = (base + len(heads)) % 65536
        bench.equal("avail.idx", after, ring.load_avail_idx())
        bench.equal("the returned index", after, returned)
