"""What must hold of give_back()."""

from tour.judge.bench import Bench, Op
from tour.virtqueue.ring import Ring


class Play:
    """The student's device on a ring of 16; the judge is its driver."""

    def __init__(self, bench: Bench, base: int, buffered: bool = False) -> None:
        bench.play("device")
        self.bench, self.base, self.idx = bench, base, base
        self.ring: Ring = bench.ring(num=16, index=0, base=base)
        bench.call("attach", bench.handle(self.ring, buffered=buffered), base, bench.doorbell("call"))

    def give(self, count: int, event: int | None = None) -> int:
        """How often it called while it gave ``count`` chains back, the driver having asked for ``event``."""
        if event is not None:
            self.ring.store_used_event(event % 65536)
        before = self.bench.rung("call")
        done = [[(self.idx + n) % 16, 60 + n] for n in range(count)]
        self.bench.call("give_back", done)
        self.idx = (self.idx + count) % 65536
        self.bench.equal("used.idx", self.idx, self.ring.load_used_idx())
        found = [list(self.ring.read_used_entry(self.idx - count + n)) for n in range(count)]
        self.bench.equal("the elements given back", done, found)
        return self.bench.rung("call") - before


def _asked(bench: Bench, base: int, cases: list[tuple[int, int]]) -> None:
    """Batches of ``count`` chains with the event ``ahead`` of the first; all are run before one is judged."""
    play, told = Play(bench, base), []
    for count, ahead in cases:
        old = play.idx
        told.append((count, ahead, play.give(count, old + ahead)))
    for count, ahead, calls in told:
        bench.equal(f"calls ({count} chains, event {ahead:+d} from the first)", int(0 <= ahead < count), calls)


def one(bench: Bench) -> None:
    """One by one."""
    _asked(bench, 100, [(1, 0), (1, 1), (1, 0), (1, -1), (1, 5), (1, 0), (1, -3)])


def batch(bench: Bench) -> None:
    """More at once."""
    _asked(bench, 200, [(3, 2), (3, 0), (3, 1), (3, 3), (4, -1), (2, 0), (5, 7), (8, 4), (2, 40000)])


def wrap(bench: Bench) -> None:
    """Across 65536."""
    for base in (65533, 65534, 65535):
        _asked(bench, base, [(4, 0), (4, 9)])
        _asked(bench, base, [(4, 4)])
        _asked(bench, base, [(4, 3)])
        _asked(bench, base, [(4, 2), (2, -2)])
        _asked(bench, base, [(2, 65000), (4, -1)])


def barrier(bench: Bench) -> None:
    """The driver asks and looks just after the device has read used_event."""
    play = Play(bench, 65534, buffered=True)
    play.ring.store_used_event((play.base - 1) % 65536)
    waits: list[bool] = []

    def ask(op: Op) -> None:
        if op.method == "load_used_event" and not waits:
            play.ring.store_used_event(play.base)
            waits.append(play.ring.load_used_idx() == play.base)

    bench.talk.after.append(ask)
    bench.call("give_back", [[1, 60], [2, 60]])
    bench.hold(bool(waits), "used_event", "read", "never read")
    lost = waits[0] and not bench.rung("call")
    bench.hold(
        not lost, "call", "the driver sees used.idx move, or is called", "the driver waits, 2 chains are done, no call"
    )


def any(bench: Bench) -> None:
    """Any distances."""
    for _ in range(10):
        cases = [(bench.random.randrange(1, 9), bench.random.randrange(-9, 12)) for _ in range(8)]
        _asked(bench, bench.pick([bench.random.randrange(65536), 65536 - bench.random.randrange(1, 30)]), cases)
