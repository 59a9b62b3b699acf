"""What must hold of rest()."""

from tour.judge.bench import Bench, Op


def asks(bench: Bench) -> None:
    """The word."""
    for last in (0, 7, 40000, 65535):
        bench.play("device")
        ring = bench.ring(num=8, base=last)
        ring.store_avail_event((last - 3) % 65536)
        bench.call("rest", bench.handle(ring), last)
        bench.equal("used.avail_event", last, ring.load_avail_event())


def says(bench: Bench) -> None:
    """Nothing waits, something does."""
    told = []
    for last in (0, 7, 65535):
        for waiting in (0, 1, 3):
            bench.play("device")
            ring = bench.ring(num=8, base=last)
            ring.store_avail_idx((last + waiting) % 65536)
            told.append((last, waiting, bench.call("rest", bench.handle(ring), last)))
    for last, waiting, answer in told:
        bench.equal(f"rest (next index {last}, {waiting} waiting)", waiting == 0, answer)


def wakeup(bench: Bench) -> None:
    """The driver publishes just after the device has looked."""
    for last in (5, 65535):
        bench.play("device")
        ring = bench.ring(num=8, base=last)
        ring.store_avail_event((last - 1) % 65536)
        kicks: list[bool] = []

        def publish(op: Op, ring=ring, last=last, kicks=kicks) -> None:
            if op.method == "load_avail_idx" and not kicks:
                ring.store_avail_idx((last + 1) % 65536)
                kicks.append(ring.load_avail_event() == last)

        bench.talk.after.append(publish)
        asleep = bench.call("rest", bench.handle(ring, buffered=True), last)
        bench.talk.after.clear()
        bench.hold(bool(kicks), "avail.idx", "read", "never read")
        lost = asleep and not kicks[0]
        bench.hold(
            not lost,
            "kick",
            "the driver sees the wish, or the device is awake",
            "the device sleeps, 1 entry waits, no kick",
        )


def any(bench: Bench) -> None:
    """Any index; nothing else is written."""
    for _ in range(20):
        last, waiting = bench.random.randrange(65536), bench.pick([0, 1, 2, 8])
        bench.play("device")
        ring = bench.ring(num=8, base=last)
        ring.store_avail_idx((last + waiting) % 65536)
        bench.equal("rest", waiting == 0, bench.call("rest", bench.handle(ring), last))
        bench.equal("used.avail_event", last, ring.load_avail_event())
    stores = {op.method for op in bench.talk.log if op.method.startswith(("store_", "write_"))}
    bench.equal("words written", ["store_avail_event"], sorted(stores))
