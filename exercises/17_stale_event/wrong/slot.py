# wrong: again
# en: It writes a slot into used_event.
# zh: 把槽号写进了 used_event。
# misconception: idx-wraps-at-num
"""A driver that takes chains back whenever it is called (event idx)."""

from tour.virtqueue.ring import Ring


class Reaper:
    """``last`` is the next used index to read."""

    def __init__(self, ring: Ring, last: int) -> None:
        self.ring, self.last = ring, last

    def called(self) -> list[int]:
        """What the interrupt handler does: take back every chain that is done; their heads."""
        heads: list[int] = []
        while True:
            idx = self.ring.load_used_idx()
            while self.last != idx:
                heads.append(self.ring.read_used_entry(self.last).head)
                self.last = (self.last + 1) % 65536
            self.ring.store_used_event(self.last % self.ring.num)
            self.ring.full_barrier()
            if self.ring.load_used_idx() == self.last:
                return heads


queues: list[Reaper] = []


def attach(ring: Ring, last: int) -> None:
    """A ring to work on, from now on."""
    queues[:] = [Reaper(ring, last)]


def called() -> list[int]:
    """The device called."""
    return queues[0].called()
