"""What must hold of want_calls() and send()."""

from tour.judge.bench import Bench, Op
from tour.virtqueue.ring import Ring

NO_NOTIFY = NO_INTERRUPT = 1


def _attached(bench: Bench, base: int, buffered: bool = False) -> Ring:
    bench.play("driver")
    ring = bench.ring(num=8, base=base)
    bench.call("attach", bench.handle(ring, buffered=buffered), base, bench.doorbell("kick"))
    return ring


def publish(bench: Bench) -> None:
    """Entries and index."""
    for base in (20, 65534):
        ring = _attached(bench, base)
        heads = bench.random.sample(range(8), 4)
        bench.call("send", heads[:1])
        bench.call("send", heads[1:])
        for n, head in enumerate(heads):
            slot = ring.slot(base + n)
            bench.equal(f"avail.ring[{slot}]", head, ring.read_avail_entry(slot))
        bench.equal("avail.idx", (base + 4) % 65536, ring.load_avail_idx())


def calls(bench: Bench) -> None:
    """Which word, and which bit."""
    for used_flags in (0, NO_NOTIFY):
        ring = _attached(bench, 0)
        ring.store_used_flags(used_flags)
        for wanted in (False, True, False):
            bench.call("want_calls", wanted)
            bench.equal("avail.flags", 0 if wanted else NO_INTERRUPT, ring.load_avail_flags())
            bench.equal("used.flags", used_flags, ring.load_used_flags())


def kicks(bench: Bench) -> None:
    """Every wish of the driver with every wish of the device."""
    told = []
    for wanted in (True, False):
        for used_flags in (0, NO_NOTIFY):
            ring = _attached(bench, 0)
            ring.store_used_flags(used_flags)
            bench.call("want_calls", wanted)
            before = bench.rung("kick")
            bench.call("send", [3])
            told.append((wanted, used_flags, bench.rung("kick") - before))
    for wanted, used_flags, kicked in told:
        what = f"kicks (driver wants calls: {'yes' if wanted else 'no'}, used.flags {used_flags})"
        bench.equal(what, 1 - used_flags, kicked)


def wakeup(bench: Bench) -> None:
    """The device goes to sleep just after the driver has read its word."""
    ring = _attached(bench, 65535, buffered=True)
    ring.store_used_flags(NO_NOTIFY)
    asleep: list[bool] = []

    def sleep(op: Op) -> None:
        if op.method == "load_used_flags" and not asleep:
            ring.store_used_flags(0)
            asleep.append(ring.load_avail_idx() == 65535)

    bench.talk.after.append(sleep)
    bench.call("send", [2])
    bench.hold(bool(asleep), "used.flags", "read", "never read")
    lost = asleep[0] and not bench.rung("kick")
    bench.hold(not lost, "kick", "the device is awake or kicked", "the device sleeps, 1 entry waits, no kick")


def any(bench: Bench) -> None:
    """Any order of everything."""
    for _ in range(6):
        base = bench.pick([0, 65530, bench.random.randrange(65536)])
        ring, idx = _attached(bench, base), base
        for _ in range(12):
            ring.store_used_flags(bench.random.randrange(2))
            wanted = bench.pick([True, False, None])
            if wanted is not None:
                bench.call("want_calls", wanted)
                bench.equal("avail.flags", 0 if wanted else 1, ring.load_avail_flags())
            heads = bench.random.sample(range(8), bench.random.randrange(1, 4))
            before = bench.rung("kick")
            bench.call("send", heads)
            bench.equal("kicks", 1 - ring.load_used_flags(), bench.rung("kick") - before)
            found = [ring.read_avail_entry(idx + n) for n in range(len(heads))]
            bench.equal("entries", heads, found)
            idx = (idx + len(heads)) % 65536
            bench.equal("avail.idx", idx, ring.load_avail_idx())
