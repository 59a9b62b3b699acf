"""What must hold of called()."""

from tour.judge.bench import Bench, Op
from tour.virtqueue.ring import Ring


class Play:
    """The student's driver on a ring of 16; the judge is a device that calls when used_event says so."""

    def __init__(self, bench: Bench, base: int, buffered: bool = False) -> None:
        bench.play("driver")
        self.bench, self.idx, self.wants = bench, base, False
        self.given: list[int] = []
        self.taken: list[int] = []
        self.ring: Ring = bench.ring(num=16, index=0, base=base)
        self.ring.store_used_event(base)
        bench.call("attach", bench.handle(self.ring, buffered=buffered), base)

    def done(self, count: int) -> None:
        """The device gives ``count`` chains back and decides whether to call."""
        old = self.idx
        for n in range(count):
            head = (7 * len(self.given)) % 16
            self.given.append(head)
            self.ring.store_used_entry(old + n, head, 60)
        self.idx = (old + count) % 65536
        self.ring.store_used_idx(self.idx)
        event = self.ring.load_used_event()
        self.wants = self.wants or (event - old) % 65536 < (self.idx - old) % 65536

    def serve(self) -> None:
        """Deliver the call, if one is due."""
        if self.wants:
            self.wants = False
            answer = self.bench.call("called")
            self.bench.hold(isinstance(answer, list), "called()", "a list of heads", answer)
            self.taken += answer


def first(bench: Bench) -> None:
    """One call, one or several chains."""
    for base in (3, 65534):
        for count in (1, 3):
            play = Play(bench, base)
            play.done(count)
            play.serve()
            bench.equal(f"heads taken back ({count} done)", play.given, play.taken)


def again(bench: Bench) -> None:
    """Batch after batch, each with its call."""
    for base in (10, 65530):
        play = Play(bench, base)
        for round, count in enumerate((1, 2, 1, 3, 1)):
            play.done(count)
            play.serve()
            bench.equal(f"heads taken back after batch {round + 1}", play.given, play.taken)
        bench.equal("avail.used_event", play.idx, play.ring.load_used_event())


def between(bench: Bench) -> None:
    """The device gives one more back right after each look, while a store of the driver's may still be on its way."""
    for at in (1, 2):
        play = Play(bench, 65533, buffered=True)
        play.done(2)
        looks: list[int] = []

        def finish(op: Op, play=play, looks=looks, at=at) -> None:
            if op.method == "load_used_idx":
                looks.append(play.idx)
                if len(looks) == at:
                    play.done(1)

        bench.talk.after.append(finish)
        for _ in range(4):
            play.serve()
        bench.talk.after.clear()
        found = f"{len(play.given) - len(play.taken)} chains done, no call" if play.taken != play.given else ""
        bench.hold(not found, "call", "every chain is taken back", found)


def any(bench: Bench) -> None:
    """Any batches, calls early and late, chains done in between."""
    for _ in range(12):
        base = bench.pick([bench.random.randrange(65536), 65536 - bench.random.randrange(1, 20)])
        play = Play(bench, base, buffered=bench.pick([True, False]))
        left = [bench.random.randrange(1, 4) for _ in range(6)]

        def finish(op: Op, play=play, left=left) -> None:
            if op.method == "load_used_idx" and left and bench.random.random() < 0.3:
                play.done(left.pop())

        bench.talk.after.append(finish)
        while left:
            play.done(left.pop())
            play.serve()
        for _ in range(8):
            play.serve()
        bench.talk.after.clear()
        bench.equal("heads taken back", play.given, play.taken)
